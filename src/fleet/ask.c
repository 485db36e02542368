/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* ask.c - which question, and the time that it is about. */
#define _GNU_SOURCE
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "base/complain.h"
#include "base/rights.h"
#include "base/status.h"
#include "schema.h"
#include "sql.h"
#include "tables_text.h"

static const struct ask_kind {
	const char *name;
	int (*run)(const struct fleet_options *options, struct server *server);
	size_t words; /* that follow the name */
	const char *wants;
} ask_kinds[] = {
	{"top", ask_top, 0, "nothing"},
	{"growth", ask_growth, 0, "nothing"},
	{"diff", ask_diff, 2, "A and B, as --by says"},
	{"errors", ask_errors, 0, "nothing"},
	{"lost", ask_lost, 0, "nothing"},
	{"stack", ask_stack, 1, "the ID of one, or its begin"},
	{"services", ask_services, 0, "nothing"},
	{"hosts", ask_hosts, 0, "nothing"},
	{"flame", ask_flame, 0, "-o FILE, and no more"},
	{"init", NULL, 0, "nothing"},
};

#define ASK_KINDS (sizeof(ask_kinds) / sizeof(ask_kinds[0]))

struct ask_window ask_window(const struct fleet_options *options, uint64_t seconds)
{
	struct ask_window window = {options->since, options->until};

	if (!window.until)
		window.until = (uint64_t)time(NULL) + 60; /* a host's clock may be ahead */
	if (!window.since)
		window.since = window.until > seconds ? window.until - seconds : 0;
	return window;
}

void ask_latest(struct rows *sql, const struct fleet_options *options, struct ask_window window)
{
	static const struct {
		const char *column, *name;
	} lasts[] = {
		{"service", "sv"},	  {"version", "ve"},	  {"host", "h"},
		{"live_bytes", "lb"},	  {"live_objects", "lo"}, {"left_bytes", "fb"},
		{"left_objects", "fo"},	  {"alloc_bytes", "ab"},  {"allocs", "al"},
		{"bytes_variance", "vb"},
	};
	const uint64_t whole = window.until > SQL_WHOLE ? window.until - SQL_WHOLE : 0;
	size_t i;

	rows_print(sql, "SELECT source AS s, stack AS k");
	for (i = 0; i < sizeof(lasts) / sizeof(lasts[0]); i++)
		sql_last(sql, lasts[i].column, lasts[i].name);
	rows_print(sql, " FROM samples");
	sql_where(sql, options, window.since < whole ? window.since : whole, window.until);
	rows_print(sql, " AND source GLOBAL IN (SELECT source FROM sources");
	sql_where(sql, options, window.since, window.until);
	rows_print(sql, ") GROUP BY source, stack HAVING (lb > 0 OR fb > 0 OR lo > 0 OR fo > 0 OR "
			"al > 0)");
	sql_and(sql, "ve", options->version);
}

int ask_show(const struct answer *answer, const struct fleet_options *options,
	     struct server *server, const struct rows *sql)
{
	struct rows rows = {0};
	bool good = server_query(server, rows_text(sql), &rows) &&
		    answer_show(answer, options, server, &rows, NULL);

	rows_free(&rows);
	return good ? STATUS_CLEAN : STATUS_FAILED;
}

static int ask_init(const struct fleet_options *options, struct server *server)
{
	if (!schema_apply(server, options->cluster))
		return STATUS_FAILED;
	if (server_check(server) == SERVER_TOOK)
		return STATUS_CLEAN;
	complain("%s: %s", server_name(server), server_error(server));
	return STATUS_FAILED;
}

static int ask_server(const struct fleet_options *options, const struct ask_kind *kind)
{
	struct server *server = server_open(&options->server);
	int status = STATUS_FAILED;

	if (!server)
		return status;
	/* Of a daemon, which needed them to read its credentials. */
	if (geteuid())
		rights_drop();
	if (!kind->run)
		status = ask_init(options, server);
	else if (server_check(server) == SERVER_TOOK)
		status = kind->run(options, server);
	else
		complain("%s: %s; stackdepot fleet init makes its tables", server_name(server),
			 server_error(server));
	server_close(server);
	return status;
}

int ask_run(const struct fleet_options *options)
{
	size_t i;

	if (!options->nr_words)
		return fleet_options_complain("fleet", "what about it? top, growth, errors ...");
	for (i = 0; i < ASK_KINDS; i++) {
		if (strcmp(options->words[0], ask_kinds[i].name))
			continue;
		if (options->nr_words - 1 != ask_kinds[i].words)
			return fleet_options_complain("fleet", "%s takes %s", ask_kinds[i].name,
						      ask_kinds[i].wants);
		return ask_server(options, &ask_kinds[i]);
	}
	return fleet_options_complain("fleet", "there is no '%s'", options->words[0]);
}
