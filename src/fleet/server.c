/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* server.c - libcurl's side of it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clean.h"
#include "base/complain.h"
#include "base/memory.h"
#include "server.h"

#define DATABASE "stackdepot"
#define DATABASE_BYTES 64
#define ANSWER_BYTES (256u << 20)
#define ERROR_BYTES 300 /* of what a server says, for people */
#define CONNECT_SECONDS 10L
#define SLOW_BYTES 100L /* a second, for so long, is too slow */
#define SLOW_SECONDS 30L
#define INSERT_SECONDS 120L
#define QUERY_SECONDS 600
#define SECRET_BYTES 4096
#define SCHEMA_VERSION "1"

struct server {
	CURL *curl;
	CURLU *url;
	char *name;
	char *database;
	struct curl_slist *headers; /* who we are */
	char *error;
	long retry_after;
	time_t until; /* of the monotonic clock: that queries may take; 0: not said */
	bool is_clickhouse;
	struct rows answer;
	bool too_much;
	char trouble[CURL_ERROR_SIZE]; /* what libcurl says of it */
};

const char *server_name(const struct server *server)
{
	return server->name;
}

const char *server_database(const struct server *server)
{
	return server->database;
}

const char *server_error(const struct server *server)
{
	return server->error ? server->error : "";
}

long server_retry_after(const struct server *server)
{
	return server->retry_after;
}

/* --- who we are ------------------------------------------------------------------------------- */

static bool server_is_secret(FILE *file, const char *path)
{
	struct stat st;

	if (!fstat(fileno(file), &st) && S_ISREG(st.st_mode) && !(st.st_mode & (S_IRWXO | S_IWGRP)))
		return true;
	complain("%s: credentials are a regular file that others can neither read nor write", path);
	return false;
}

static void server_add_header(struct server *server, const char *name, const char *value)
{
	char *header = memory_print("%s%s", name, value);
	struct curl_slist *headers = curl_slist_append(server->headers, header);

	if (!headers)
		memory_out();
	server->headers = headers;
	explicit_bzero(header, strlen(header));
	free(header);
}

/* USER:PASSWORD as ClickHouse has it; else a token, as a proxy before it has. */
static bool server_use_secret(struct server *server, char *secret, const char *path)
{
	char *colon;

	secret[strcspn(secret, "\r\n")] = '\0';
	colon = strchr(secret, ':');
	if (!*secret || !clean_is(secret)) {
		complain("%s: a line USER:PASSWORD, or a token, is expected", path);
		return false;
	}
	if (!colon) {
		server_add_header(server, "Authorization: Bearer ", secret);
		return true;
	}
	if (!server->is_clickhouse) {
		curl_easy_setopt(server->curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		if (curl_easy_setopt(server->curl, CURLOPT_USERPWD, secret))
			memory_out();
		return true;
	}
	*colon = '\0';
	server_add_header(server, "X-ClickHouse-User: ", secret);
	server_add_header(server, "X-ClickHouse-Key: ", colon + 1);
	return true;
}

static bool server_read_secret(struct server *server, const char *path)
{
	char secret[SECRET_BYTES] = "";
	FILE *file = fopen(path, "re");
	bool good;

	if (!file) {
		complain("%s: %s", path, strerror(errno));
		return false;
	}
	good = server_is_secret(file, path) && fgets(secret, sizeof(secret), file) &&
	       server_use_secret(server, secret, path);
	if (!*secret && good)
		complain("%s: empty", path);
	explicit_bzero(secret, sizeof(secret));
	(void)fclose(file);
	return good;
}

static bool server_is_loopback(const char *host)
{
	struct in_addr v4;

	/* A name may begin with 127., too. */
	return !strcmp(host, "localhost") || !strcmp(host, "[::1]") ||
	       (inet_pton(AF_INET, host, &v4) == 1 && !strncmp(host, "127.", 4));
}

/* May what is secret go there? */
static bool server_is_safe(const struct server *server, const struct server_options *options)
{
	char *scheme = NULL, *host = NULL;
	bool safe;

	(void)curl_url_get(server->url, CURLUPART_SCHEME, &scheme, 0);
	(void)curl_url_get(server->url, CURLUPART_HOST, &host, 0);
	safe = options->plain || (scheme && !strcmp(scheme, "https")) ||
	       (host && server_is_loopback(host));
	if (!safe)
		complain(
			"%s: credentials would go over a line that others may listen to; https, or "
			"--plain",
			server->name);
	curl_free(scheme);
	curl_free(host);
	return safe;
}

/* --- opening ---------------------------------------------------------------------------------- */

static bool server_has(const struct server *server, CURLUPart part)
{
	char *text = NULL;
	bool has = !curl_url_get(server->url, part, &text, 0);

	curl_free(text);
	return has;
}

static bool server_scheme_is_known(const struct server *server)
{
	char *scheme = NULL;
	bool known;

	(void)curl_url_get(server->url, CURLUPART_SCHEME, &scheme, 0);
	known = scheme && (!strcmp(scheme, "http") || !strcmp(scheme, "https"));
	curl_free(scheme);
	return known;
}

/* An address that has a password is not said again, in which it would stand. */
static bool server_set_url(struct server *server, const char *url)
{
	char *name = NULL;

	server->url = curl_url();
	if (!server->url)
		memory_out();
	if (curl_url_set(server->url, CURLUPART_URL, url, 0) || !server_scheme_is_known(server)) {
		complain("--server is http[s]://HOST[:PORT]");
		return false;
	}
	if (server_has(server, CURLUPART_USER) || server_has(server, CURLUPART_PASSWORD) ||
	    server_has(server, CURLUPART_QUERY)) {
		complain(
			"--server has no user, password or question in it, which everybody on this "
			"host could read; --credentials names a file");
		return false;
	}
	(void)curl_url_get(server->url, CURLUPART_URL, &name, 0);
	server->name = memory_strdup(name ? name : url);
	curl_free(name);
	return true;
}

/* A name that needs no quotes. */
static bool server_set_database(struct server *server, const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

	if (!*name || name[strspn(name, letters)] || strlen(name) > DATABASE_BYTES ||
	    (*name >= '0' && *name <= '9')) {
		complain("--database cannot be '%s': letters, digits and _", name);
		return false;
	}
	server->database = memory_strdup(name);
	return true;
}

static size_t server_take(char *bytes, size_t one, size_t nr, void *context)
{
	struct server *server = context;

	(void)one;
	server->too_much |= server->answer.length + nr > ANSWER_BYTES;
	if (server->too_much)
		return 0;
	rows_add(&server->answer, bytes, nr);
	return nr;
}

/* What is for this host goes to no proxy: http_proxy counts for localhost, too. */
static void server_go_past_proxy(struct server *server)
{
	char *host = NULL;

	(void)curl_url_get(server->url, CURLUPART_HOST, &host, 0);
	if (host && server_is_loopback(host))
		curl_easy_setopt(server->curl, CURLOPT_NOPROXY, "*");
	curl_free(host);
}

static void server_set_up(struct server *server, const struct server_options *options)
{
	CURL *curl = server->curl;

	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "stackdepot/" STACKDEPOT_VERSION);
	curl_easy_setopt(curl, CURLOPT_CURLU, server->url);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, server_take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, server);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, server->trouble);
	server_go_past_proxy(server);
	if (!options->authority)
		return;
	curl_easy_setopt(curl, CURLOPT_CAINFO, options->authority);
	/* Else those of the system count beside it. */
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
}

/* libcurl would not say which file it is. */
static bool server_can_trust(const struct server_options *options)
{
	FILE *file = options->authority ? fopen(options->authority, "re") : NULL;

	if (options->authority && !file)
		complain("%s: %s", options->authority, strerror(errno));
	if (file)
		(void)fclose(file);
	return file || !options->authority;
}

static time_t server_clock(void)
{
	struct timespec now = {0, 0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* What a query may take: of all of a question's, what is left. */
static long server_left(const struct server *server)
{
	const time_t now = server_clock();

	if (!server->until)
		return QUERY_SECONDS;
	return server->until > now ? (long)(server->until - now) : 1;
}

struct server *server_open(const struct server_options *options)
{
	struct server *server = memory_alloc(sizeof(*server));

	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		memory_out();
	server->until = options->query_seconds ? server_clock() + options->query_seconds : 0;
	server->is_clickhouse = options->is_clickhouse;
	server->curl = curl_easy_init();
	if (!server->curl)
		memory_out();
	if (server_set_url(server, options->url) && server_can_trust(options) &&
	    server_set_database(server, options->database ? options->database : DATABASE) &&
	    (!options->credentials || (server_is_safe(server, options) &&
				       server_read_secret(server, options->credentials)))) {
		server_set_up(server, options);
		return server;
	}
	server_close(server);
	return NULL;
}

void server_close(struct server *server)
{
	if (!server)
		return;
	curl_easy_cleanup(server->curl);
	curl_url_cleanup(server->url);
	curl_slist_free_all(server->headers);
	rows_free(&server->answer);
	free(server->name);
	free(server->database);
	free(server->error);
	free(server);
}

/* --- asking ----------------------------------------------------------------------------------- */

/* What is wrong: of what the server says the first line. */
static void server_say(struct server *server, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void server_say(struct server *server, const char *format, ...)
{
	va_list list;
	char *text;

	va_start(list, format);
	text = memory_print_list(format, list);
	va_end(list);
	free(server->error);
	server->error = clean_short(text, ERROR_BYTES);
	free(text);
}

static void server_set_query(struct server *server, const char *name, const char *value)
{
	char *query = memory_print("%s=%s", name, value);

	if (curl_url_set(server->url, CURLUPART_QUERY, query, CURLU_APPENDQUERY | CURLU_URLENCODE))
		memory_out();
	free(query);
}

/*
 * What GnuTLS finds wrong with a certificate: gnutls_certificate_status_t, which libcurl passes on
 * as a number and does not put into words. Other libraries have other numbers, and words.
 */
static const struct {
	long bit;
	const char *text;
} server_faults[] = {
	{1L << 5, "it was revoked"},
	{1L << 6, "no authority that is trusted here has signed it"},
	{1L << 7, "who signed it is no authority"},
	{1L << 9, "it is not valid yet"},
	{1L << 10, "it has expired"},
};

/* False: libcurl's own words say it. */
static bool server_say_certificate(struct server *server)
{
	const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
	struct rows text = {0};
	long status = 0;
	size_t i;

	(void)curl_easy_getinfo(server->curl, CURLINFO_SSL_VERIFYRESULT, &status);
	if (!version->ssl_version || strncmp(version->ssl_version, "GnuTLS", strlen("GnuTLS")))
		return false;
	for (i = 0; i < sizeof(server_faults) / sizeof(server_faults[0]); i++)
		if (status & server_faults[i].bit)
			rows_print(&text, "%s%s", text.length ? ", and " : "",
				   server_faults[i].text);
	if (text.length)
		server_say(server, "its certificate is not accepted: %s", rows_text(&text));
	rows_free(&text);
	return server->error;
}

/* There was no answer. */
static void server_say_trouble(struct server *server, CURLcode code)
{
	free(server->error);
	server->error = NULL;
	if (server->too_much)
		server_say(server, "it answers without end");
	else if (code != CURLE_PEER_FAILED_VERIFICATION || !server_say_certificate(server))
		server_say(server, "%s",
			   *server->trouble ? server->trouble : curl_easy_strerror(code));
}

static void server_read_retry(struct server *server)
{
	curl_off_t seconds = 0;

	(void)curl_easy_getinfo(server->curl, CURLINFO_RETRY_AFTER, &seconds);
	server->retry_after = seconds > 3600 ? 3600 : (long)seconds;
}

/* An answer that is not good: does it come from what was asked, so that it would come again? */
static enum server_answer server_judge(struct server *server, CURLcode code, long status)
{
	const char *said = rows_text(&server->answer);

	if (code) {
		server_say_trouble(server, code);
		return SERVER_FAILED;
	}
	server_say(server, "it says %ld: %.*s", status, (int)strcspn(said, "\n"), said);
	server_read_retry(server);
	if (status == 429 || status == 408 || status >= 500)
		return SERVER_FAILED;
	return SERVER_REFUSED;
}

/* POST what was set up; the answer is in `answer`. */
static enum server_answer server_perform(struct server *server, struct curl_slist *headers,
					 long seconds, long slow_seconds)
{
	struct curl_slist *last = headers;
	CURLcode code;
	long status = 0;

	/* Ours come behind, for this time. */
	while (last->next)
		last = last->next;
	last->next = server->headers;
	rows_clear(&server->answer);
	server->too_much = false;
	server->trouble[0] = '\0';
	server->retry_after = 0;
	curl_easy_setopt(server->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(server->curl, CURLOPT_TIMEOUT, seconds);
	/* Who is asked may think for long before he says anything. */
	curl_easy_setopt(server->curl, CURLOPT_LOW_SPEED_TIME, slow_seconds);
	code = curl_easy_perform(server->curl);
	last->next = NULL;
	(void)curl_easy_getinfo(server->curl, CURLINFO_RESPONSE_CODE, &status);
	return code || status != 200 ? server_judge(server, code, status) : SERVER_TOOK;
}

static struct curl_slist *server_header(struct curl_slist *headers, const char *header)
{
	headers = curl_slist_append(headers, header);
	if (!headers)
		memory_out();
	return headers;
}

/* What each request says; DATABASE_IS_THERE: names in it are those of ours. */
static void server_begin(struct server *server, bool database_is_there)
{
	(void)curl_url_set(server->url, CURLUPART_QUERY, NULL, 0);
	if (database_is_there)
		server_set_query(server, "database", server->database);
}

/* --- rows ------------------------------------------------------------------------------------- */

static enum server_answer server_send(struct server *server, FILE *file, size_t bytes)
{
	struct curl_slist *headers = server_header(NULL, "Content-Encoding: gzip");
	enum server_answer answer;

	/* Without waiting to be told to go on, which old servers do not do. */
	headers = server_header(headers, "Expect:");
	curl_easy_setopt(server->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(server->curl, CURLOPT_POSTFIELDS, NULL);
	curl_easy_setopt(server->curl, CURLOPT_READFUNCTION, NULL);
	curl_easy_setopt(server->curl, CURLOPT_READDATA, file);
	curl_easy_setopt(server->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)bytes);
	answer = server_perform(server, headers, INSERT_SECONDS, SLOW_SECONDS);
	curl_slist_free_all(headers);
	if (answer != SERVER_TOOK || !server->answer.length)
		return answer;
	server_say(server, "it answers something else than ClickHouse does: %.*s",
		   (int)strcspn(rows_text(&server->answer), "\n"), rows_text(&server->answer));
	return SERVER_FAILED;
}

enum server_answer server_insert(struct server *server, const char *table, const char *columns,
				 const char *path)
{
	char *sql = memory_print("INSERT INTO %s (%s) FORMAT TabSeparated", table, columns);
	enum server_answer answer;
	struct stat st;
	FILE *file = fopen(path, "rbe");

	server_begin(server, true);
	server_set_query(server, "query", sql);
	/* It answers when the shards have it. */
	server_set_query(server, "insert_distributed_sync", "1");
	free(sql);
	if (!file || fstat(fileno(file), &st)) {
		server_say(server, "%s: %s", path, strerror(errno));
		if (file)
			(void)fclose(file);
		return SERVER_FAILED;
	}
	answer = server_send(server, file, (size_t)st.st_size);
	(void)fclose(file);
	return answer;
}

/* --- profiles --------------------------------------------------------------------------------- */

static void server_add_part(curl_mime *form, const struct server_part *about)
{
	curl_mimepart *part = curl_mime_addpart(form);

	if (!part || curl_mime_name(part, about->name) || curl_mime_filename(part, about->file) ||
	    curl_mime_data(part, about->bytes, about->length))
		memory_out();
}

static enum server_answer server_send_form(struct server *server, const struct server_post *post)
{
	struct curl_slist *headers = server_header(NULL, "Expect:");
	curl_mime *form = curl_mime_init(server->curl);
	enum server_answer answer;
	size_t i;

	if (!form)
		memory_out();
	for (i = 0; i < post->nr_parts; i++)
		server_add_part(form, &post->parts[i]);
	curl_easy_setopt(server->curl, CURLOPT_MIMEPOST, form);
	answer = server_perform(server, headers, INSERT_SECONDS, SLOW_SECONDS);
	curl_easy_setopt(server->curl, CURLOPT_MIMEPOST, NULL);
	curl_mime_free(form);
	curl_slist_free_all(headers);
	return answer;
}

static enum server_answer server_send_bytes(struct server *server, const struct server_post *post)
{
	struct curl_slist *headers = server_header(server_header(NULL, "Expect:"), post->type);
	enum server_answer answer;

	if (post->encoding)
		headers = server_header(headers, post->encoding);
	curl_easy_setopt(server->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(server->curl, CURLOPT_POSTFIELDS, post->bytes);
	curl_easy_setopt(server->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->length);
	answer = server_perform(server, headers, INSERT_SECONDS, SLOW_SECONDS);
	curl_slist_free_all(headers);
	return answer;
}

/* Nothing, an empty object, or OTLP's message with an empty one inside. */
static bool server_says_nothing(const struct server *server)
{
	const char *said = rows_text(&server->answer);
	const size_t length = server->answer.length;

	return !length || (length == 2 && (!memcmp(said, "{}", 2) || !memcmp(said, "\n\0", 2)));
}

enum server_answer server_post(struct server *server, const struct server_post *post)
{
	enum server_answer answer;
	size_t i;

	(void)curl_url_set(server->url, CURLUPART_QUERY, NULL, 0);
	for (i = 0; i < post->nr_query; i++)
		server_set_query(server, post->query[i][0], post->query[i][1]);
	answer = post->nr_parts ? server_send_form(server, post) : server_send_bytes(server, post);
	if (answer != SERVER_TOOK || server_says_nothing(server))
		return answer;
	server_say(server, "it answers something else than that it took it: %.*s",
		   (int)strcspn(rows_text(&server->answer), "\n"), rows_text(&server->answer));
	return SERVER_REFUSED;
}

/* --- questions -------------------------------------------------------------------------------- */

static enum server_answer server_ask(struct server *server, const char *sql)
{
	struct curl_slist *headers = server_header(NULL, "Expect:");
	enum server_answer answer;

	curl_easy_setopt(server->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(server->curl, CURLOPT_POSTFIELDS, sql);
	curl_easy_setopt(server->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(sql));
	answer = server_perform(server, headers, server_left(server), 0);
	curl_slist_free_all(headers);
	return answer;
}

static bool server_answered(const struct server *server, enum server_answer answer)
{
	if (answer != SERVER_TOOK)
		complain("%s: %s", server->name, server_error(server));
	return answer == SERVER_TOOK;
}

/*
 * Nor does the server go on for somebody who has gone. Only if it was asked for: a user may not be
 * allowed to set a limit of his own.
 */
static void server_set_limit(struct server *server)
{
	char seconds[24];

	if (!server->until)
		return;
	snprintf(seconds, sizeof(seconds), "%ld", server_left(server));
	server_set_query(server, "max_execution_time", seconds);
	server_set_query(server, "timeout_overflow_mode", "throw");
}

bool server_query(struct server *server, const char *sql, struct rows *ret_rows)
{
	server_begin(server, true);
	/* So that an answer is whole, or an error. */
	server_set_query(server, "wait_end_of_query", "1");
	server_set_query(server, "buffer_size", "1048576");
	server_set_query(server, "default_format", "TabSeparated");
	server_set_query(server, "insert_distributed_sync", "1");
	server_set_limit(server);
	if (!server_answered(server, server_ask(server, sql)))
		return false;
	rows_clear(ret_rows);
	rows_add(ret_rows, rows_text(&server->answer), server->answer.length);
	return true;
}

bool server_do(struct server *server, const char *sql)
{
	server_begin(server, false);
	return server_answered(server, server_ask(server, sql));
}

enum server_answer server_check(struct server *server)
{
	enum server_answer answer;

	server_begin(server, true);
	server_set_query(server, "default_format", "TabSeparated");
	answer = server_ask(server, "SELECT max(version) FROM schema");
	if (answer == SERVER_TOOK && !strcmp(rows_text(&server->answer), SCHEMA_VERSION "\n"))
		return SERVER_TOOK;
	if (answer == SERVER_TOOK)
		server_say(server, "it is no ClickHouse, or its tables are not of version %s",
			   SCHEMA_VERSION);
	return answer == SERVER_FAILED ? SERVER_FAILED : SERVER_REFUSED;
}
