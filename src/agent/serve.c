/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * serve.c - connections, requests, answers.
 *
 * One thread does it all, and never waits: for a client, a file or a worker. A request that has to
 * wait for a look at the stores, or for a picture, is suspended until that is there.
 *
 * A connection has a time by which its request has to be complete, and another by which the answer
 * has to be taken, whatever trickles meanwhile: serve_sweep() shuts down those that are late. When
 * connections or results run short, the times are shorter. So a client that is slow, or means ill,
 * holds up nobody but himself.
 */
#define _GNU_SOURCE
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "access.h"
#include "answer.h"
#include "base/complain.h"
#include "base/memory.h"
#include "base/statm.h"
#include "clock.h"
#include "flame/page/page.h"
#include "bounds.h"
#include "metrics.h"
#include "overview.h"
#include "route.h"
#include "serve.h"

#define SWEEP_NS 250000000u
#define WRONG_TOKEN_COST 10 /* as many requests */
#define LOST_COST 10
#define FLEET_COST 5
#define OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"

enum connection_stage { CONNECTION_READS, CONNECTION_WAITS, CONNECTION_WRITES };

struct connection {
	int fd;
	enum connection_stage stage;
	uint64_t since_ns; /* of the stage */
	bool shut;
	struct connection *next;
	struct connection **link;
};

struct request {
	struct serve *serve;
	struct MHD_Connection *mhd;
	struct connection *connection;
	struct route route;
	bool suspended;
	bool looked; /* the state is as fresh as it gets */
	uint64_t since_ns;
	struct job *job;
	char *service;
	struct request *next; /* of those that are suspended */
};

struct serve {
	const struct agent_options *options;
	struct look *look;
	struct jobs *jobs;
	const struct push *push;
	struct MHD_Daemon *daemon;
	struct access_rates *rates;
	struct connection *connections;
	size_t nr_connections;
	struct request *waiting;
	uint64_t swept_ns;
	double requests;
	double refused;
	double closed;
	char address[96];
};

/* --- connections ------------------------------------------------------------------------------ */

static void connection_goes(struct connection *connection, enum connection_stage stage)
{
	connection->stage = stage;
	connection->since_ns = clock_now_ns();
}

static void connection_begins(struct serve *serve, struct MHD_Connection *mhd, void **context)
{
	struct connection *connection = memory_alloc(sizeof(*connection));
	const int send_bytes = BOUND_SEND_BYTES;

	connection->fd =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	/* Or a client who takes nothing would have megabytes of the kernel's. */
	(void)setsockopt(connection->fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes));
	connection_goes(connection, CONNECTION_READS);
	connection->next = serve->connections;
	connection->link = &serve->connections;
	if (connection->next)
		connection->next->link = &connection->next;
	serve->connections = connection;
	serve->nr_connections++;
	*context = connection;
}

static void connection_ends(struct serve *serve, struct connection *connection)
{
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	serve->nr_connections--;
	free(connection);
}

static void serve_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
			     enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		connection_begins(context, mhd, socket_context);
	else
		connection_ends(context, *socket_context);
}

/* How long it may go on in its stage. */
static uint64_t connection_limit(const struct serve *serve, const struct connection *connection)
{
	switch (connection->stage) {
	case CONNECTION_READS:
		return serve->nr_connections >= BOUND_CONNECTIONS_EASY ? BOUND_HURRIED_NS
								       : BOUND_REQUEST_NS;
	case CONNECTION_WRITES:
		return jobs_are_held(serve->jobs) ? BOUND_REQUEST_NS / 2 : BOUND_RESPONSE_NS;
	default:
		return UINT64_MAX;
	}
}

static void serve_sweep(struct serve *serve)
{
	const uint64_t now = clock_now_ns();
	struct connection *connection;

	serve->swept_ns = now;
	for (connection = serve->connections; connection; connection = connection->next) {
		if (connection->shut ||
		    now - connection->since_ns < connection_limit(serve, connection))
			continue;
		connection->shut = true;
		serve->closed++;
		(void)shutdown(connection->fd, SHUT_RDWR);
	}
}

/* --- waiting ---------------------------------------------------------------------------------- */

static enum MHD_Result request_wait(struct request *request)
{
	request->suspended = true;
	request->next = request->serve->waiting;
	request->serve->waiting = request;
	connection_goes(request->connection, CONNECTION_WAITS);
	MHD_suspend_connection(request->mhd);
	return MHD_YES;
}

static void request_resume(struct request *request)
{
	struct request **at = &request->serve->waiting;

	while (*at != request)
		at = &(*at)->next;
	*at = request->next;
	request->suspended = false;
	MHD_resume_connection(request->mhd);
}

/* Those that wait for a look; of all that wait too long, if LATE. */
static void serve_resume(struct serve *serve, bool late)
{
	const uint64_t now = clock_now_ns();
	struct request *request = serve->waiting, *next;

	for (; request; request = next) {
		next = request->next;
		if (request->job || (late && now - request->since_ns < BOUND_SCAN_WAIT_NS))
			continue;
		request->looked = true;
		request_resume(request);
	}
}

void serve_looked(struct serve *serve)
{
	serve_resume(serve, false);
}

void serve_ready(void *request)
{
	request_resume(request);
}

/* --- answers ---------------------------------------------------------------------------------- */

static enum MHD_Result request_answer(struct request *request, unsigned int code,
				      struct MHD_Response *response)
{
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	if (code == MHD_HTTP_UNAUTHORIZED)
		(void)MHD_add_response_header(response, "WWW-Authenticate",
					      "Basic realm=\"stackdepot\", charset=\"UTF-8\"");
	if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(response, "Allow", "GET, HEAD");
	if (code == MHD_HTTP_SERVICE_UNAVAILABLE || code == MHD_HTTP_TOO_MANY_REQUESTS)
		(void)MHD_add_response_header(response, "Retry-After", "1");
	request->serve->requests++;
	request->serve->refused += code == MHD_HTTP_UNAUTHORIZED || code == MHD_HTTP_FORBIDDEN ||
				   code == MHD_HTTP_TOO_MANY_REQUESTS ||
				   code == MHD_HTTP_CONTENT_TOO_LARGE ||
				   code == MHD_HTTP_SERVICE_UNAVAILABLE;
	connection_goes(request->connection, CONNECTION_WRITES);
	result = MHD_queue_response(request->mhd, code, response);
	MHD_destroy_response(response);
	return result;
}

static bool request_wants_open(const struct request *request)
{
	const char *accept = MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, "Accept");

	return accept && strstr(accept, "application/openmetrics-text");
}

static enum MHD_Result request_metrics(struct request *request)
{
	struct serve *serve = request->serve;
	const struct state *state = look_state(serve->look);
	const struct metrics_self self = {
		.age_seconds = state->time_ns ? (double)(clock_now_ns() - state->time_ns) / 1e9 : 0,
		.memory_bytes = (double)statm_read(0).resident,
		.requests = serve->requests,
		.refused = serve->refused,
		.closed = serve->closed,
		.workers_ended = (double)(look_deaths(serve->look) + jobs_deaths(serve->jobs)),
		.pushes = (double)push_times(serve->push),
		.pushes_failed = (double)push_failures(serve->push),
	};
	const bool open = request_wants_open(request);
	struct answer answer;

	answer_begin(&answer);
	metrics_write(answer.out, open, state, &self);
	return request_answer(request, MHD_HTTP_OK,
			      answer_end(&answer, open ? OPENMETRICS : PROMETHEUS));
}

static enum MHD_Result request_page(struct request *request, bool whole)
{
	struct serve *serve = request->serve;
	struct answer answer;

	if (whole && !agent_page_head[0])
		return request_answer(request, MHD_HTTP_NOT_FOUND,
				      answer_text("the page was not built into this agent; "
						  "/metrics and /debug/pprof/ are here"));
	answer_begin(&answer);
	if (whole)
		fputs(agent_page_head, answer.out);
	overview_write(answer.out, look_state(serve->look), serve->options);
	if (whole)
		fputs(agent_page_tail, answer.out);
	return request_answer(
		request, MHD_HTTP_OK,
		answer_end(&answer, whole ? "text/html; charset=utf-8" : "application/json"));
}

static void serve_names(const struct serve *serve, FILE *out)
{
	const struct state *state = look_state(serve->look);
	size_t i;

	for (i = 0; i < state->nr; i++)
		fprintf(out, "%s\n", state->stores[i].service);
}

static enum MHD_Result request_index(struct request *request)
{
	struct answer answer;

	answer_begin(&answer);
	fputs("heap and allocs, of ?service=NAME, &process=PID and &seconds=N being optional; or "
	      "/services/NAME/debug/pprof/heap.\n\nservices:\n",
	      answer.out);
	serve_names(request->serve, answer.out);
	return request_answer(request, MHD_HTTP_OK,
			      answer_end(&answer, "text/plain; charset=utf-8"));
}

/* --- pictures --------------------------------------------------------------------------------- */

static const char *request_value(const struct request *request, const char *name)
{
	const char *value = MHD_lookup_connection_value(request->mhd, MHD_GET_ARGUMENT_KIND, name);

	return value ? value : "";
}

/* The service that is meant: the one that is named, or the only one. */
static const struct state_store *request_store(const struct request *request)
{
	const struct state *state = look_state(request->serve->look);
	const char *service = request->route.service;

	if (!*service)
		service = request_value(request, "service");
	if (!*service)
		return state->nr == 1 ? &state->stores[0] : NULL;
	return state_find(state, service);
}

static enum MHD_Result request_no_store(struct request *request)
{
	const bool named = request->route.service[0] || *request_value(request, "service");
	struct answer answer;

	answer_begin(&answer);
	fputs(named ? "there is no such service; there are:\n"
		    : "of which service? service= names one of:\n",
	      answer.out);
	serve_names(request->serve, answer.out);
	return request_answer(request, named ? MHD_HTTP_NOT_FOUND : MHD_HTTP_BAD_REQUEST,
			      answer_end(&answer, "text/plain; charset=utf-8"));
}

/* What is asked for; a complaint if that makes no sense. */
static const char *request_picture(const struct request *request, struct picture *picture)
{
	const char *process = request_value(request, "process"),
		   *seconds = request_value(request, "seconds"),
		   *debug = request_value(request, "debug");

	*picture = (struct picture){.kind = request->route.picture,
				    .places = request->serve->options->places,
				    .nr_places = request->serve->options->nr_places};
	if (strlen(process) >= sizeof(picture->process))
		return "process= has a number or a short name";
	strcpy(picture->process, process);
	if (*seconds && !route_seconds(seconds, &picture->seconds))
		return "seconds= has a number of seconds, 300 at most";
	if (*debug && strcmp(debug, "0"))
		return "debug= has 0: profiles are profile.proto, gzipped";
	if (picture->kind >= PICTURE_FLAME && picture->seconds)
		return "a page takes no seconds=";
	if (picture->kind == PICTURE_LOST && !*process)
		return "of which process? process=PID";
	return NULL;
}

/* What others feel costs more, and is not had by a stranger's page that makes a browser ask. */
static const char *request_costs(const struct request *request, double cost, unsigned int *ret_code)
{
	const char *from =
		MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, "Sec-Fetch-Site");
	const struct sockaddr *client =
		MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
			->client_addr;

	*ret_code = MHD_HTTP_FORBIDDEN;
	if (from && strcmp(from, "same-origin") && strcmp(from, "none"))
		return "not from another site's page";
	*ret_code = MHD_HTTP_TOO_MANY_REQUESTS;
	return access_may(request->serve->rates, client, cost) ? NULL : "too many requests";
}

/* To look for what is lost stops a program. So it takes an option. */
static const char *request_stops(const struct request *request, unsigned int *ret_code)
{
	*ret_code = MHD_HTTP_FORBIDDEN;
	if (!request->serve->options->allow_lost)
		return "this stops the program for some milliseconds; the agent was started "
		       "without --allow-lost";
	return request_costs(request, LOST_COST, ret_code);
}

static enum MHD_Result request_begin_job(struct request *request, const struct picture *picture,
					 const char *name)
{
	request->job = jobs_add(request->serve->jobs, picture, request);
	if (!request->job)
		return request_answer(request, MHD_HTTP_SERVICE_UNAVAILABLE,
				      answer_text("too many profiles are being made"));
	request->service = memory_strdup(name);
	return request_wait(request);
}

/* A question to the server of the fleet, which has more to do than to answer us. */
static enum MHD_Result request_fleet(struct request *request)
{
	const struct agent_options *options = request->serve->options;
	struct picture picture = {.kind = request->route.picture,
				  .ask = {.question = request->route.question,
					  .server = options->push_server,
					  .credentials = options->push_credentials,
					  .authority = options->push_authority}};
	unsigned int code = MHD_HTTP_BAD_REQUEST;
	const char *problem;

	if (!options->push_server)
		return request_answer(request, MHD_HTTP_NOT_FOUND,
				      answer_text("the agent was started without --push, so it "
						  "knows no server of a fleet"));
	problem = ask_set(&picture.ask, request_value(request, "service"),
			  request_value(request, "since"), request_value(request, "id"));
	if (!problem)
		problem = request_costs(request, FLEET_COST, &code);
	if (problem)
		return request_answer(request, code, answer_text("%s", problem));
	return request_begin_job(request, &picture, "the fleet");
}

static enum MHD_Result request_order(struct request *request)
{
	const struct state_store *store = request_store(request);
	struct picture picture;
	const char *problem = request_picture(request, &picture);
	unsigned int code;
	const char *stops = picture.kind == PICTURE_LOST ? request_stops(request, &code) : NULL;

	if (stops)
		return request_answer(request, code, answer_text("%s", stops));
	if (problem)
		return request_answer(request, MHD_HTTP_BAD_REQUEST, answer_text("%s", problem));
	if (!store)
		return request_no_store(request);
	picture.device = store->record.device;
	picture.inode = store->record.inode;
	return request_begin_job(request, &picture, store->service);
}

static enum MHD_Result request_take(struct request *request)
{
	unsigned int code;
	struct MHD_Response *response = answer_job(request->job, request->service, &code);

	return request_answer(request, code, response);
}

/* --- requests --------------------------------------------------------------------------------- */

static bool request_has_token(const struct request *request)
{
	const char *token = request->serve->options->token;
	const char *given =
		MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, "Authorization");
	char *user, *password = NULL;
	bool good;

	if (given && !strncasecmp(given, "Bearer ", 7))
		return access_is_token(token, given + 7);
	/* Browsers ask for a name and a password; any name does. */
	user = MHD_basic_auth_get_username_password(request->mhd, &password);
	good = password && access_is_token(token, password);
	if (user)
		MHD_free(user);
	if (password)
		MHD_free(password);
	return good;
}

static bool request_has_body(const struct request *request)
{
	const char *length = MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_CONTENT_LENGTH);

	return (length && strcmp(length, "0")) ||
	       MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND,
					   MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* The first look at a request: 0, or the code that it is refused with, and why. */
static unsigned int request_check(const struct request *request, const char *method,
				  const char **ret_why)
{
	struct serve *serve = request->serve;
	const struct sockaddr *client =
		MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
			->client_addr;
	const char *host = MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, "Host");

	*ret_why = "too many requests";
	if (!access_may(serve->rates, client, 1))
		return MHD_HTTP_TOO_MANY_REQUESTS;
	*ret_why = "a request has no body here";
	if (request_has_body(request))
		return MHD_HTTP_CONTENT_TOO_LARGE;
	*ret_why = "GET and HEAD are known";
	if (strcmp(method, "GET") && strcmp(method, "HEAD"))
		return MHD_HTTP_METHOD_NOT_ALLOWED;
	*ret_why = "this host is asked by its address, or as localhost";
	if (!serve->options->token && host && !access_is_local_name(host))
		return MHD_HTTP_FORBIDDEN;
	*ret_why = "the token is missing, or wrong";
	if (!serve->options->token || request_has_token(request))
		return 0;
	(void)access_may(serve->rates, client, WRONG_TOKEN_COST);
	return MHD_HTTP_UNAUTHORIZED;
}

static enum MHD_Result request_go(struct request *request)
{
	if (request->job)
		return request_take(request);
	if (request->route.kind == ROUTE_NONE)
		return request_answer(request, MHD_HTTP_NOT_FOUND,
				      answer_text("there is no such page"));
	if (request->route.kind == ROUTE_PICTURE && request->route.picture >= PICTURE_FLEET)
		return request_fleet(request);
	if (!request->looked && !look_is_fresh(request->serve->look)) {
		look_begin(request->serve->look);
		return request_wait(request);
	}
	switch (request->route.kind) {
	case ROUTE_METRICS:
		return request_metrics(request);
	case ROUTE_PAGE:
	case ROUTE_OVERVIEW:
		return request_page(request, request->route.kind == ROUTE_PAGE);
	case ROUTE_INDEX:
		return request_index(request);
	default:
		return request_order(request);
	}
}

static struct request *request_begin(struct serve *serve, struct MHD_Connection *mhd,
				     const char *path)
{
	struct request *request = memory_alloc(sizeof(*request));

	request->serve = serve;
	request->mhd = mhd;
	request->route = route_of(path);
	request->since_ns = clock_now_ns();
	request->connection =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	return request;
}

/*
 * Called when the headers are there, again when all of it is, and whenever it was suspended. What
 * is refused is refused at once, before any body.
 */
static enum MHD_Result serve_request(void *context, struct MHD_Connection *mhd, const char *path,
				     const char *method, const char *version, const char *upload,
				     size_t *upload_bytes, void **ret_request)
{
	struct request *request = *ret_request;
	unsigned int code;
	const char *why;

	(void)version;
	(void)upload;
	if (request)
		return *upload_bytes ? MHD_NO : request_go(request);
	request = *ret_request = request_begin(context, mhd, path);
	code = request_check(request, method, &why);
	if (code)
		return request_answer(request, code, answer_text("%s", why));
	return MHD_YES;
}

static void serve_completed(void *context, struct MHD_Connection *mhd, void **request_context,
			    enum MHD_RequestTerminationCode code)
{
	struct request *request = *request_context;
	struct serve *serve = context;

	(void)mhd;
	(void)code;
	if (!request)
		return;
	if (request->job)
		jobs_drop(serve->jobs, request->job);
	connection_goes(request->connection, CONNECTION_READS);
	free(request->service);
	free(request);
	*request_context = NULL;
}

/* --- the daemon ------------------------------------------------------------------------------- */

static void serve_find_address(struct serve *serve)
{
	int fd = MHD_get_daemon_info(serve->daemon, MHD_DAEMON_INFO_LISTEN_FD)->listen_fd;
	struct sockaddr_storage address;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address;
	socklen_t bytes = sizeof(address);
	char text[64] = "?";

	if (getsockname(fd, (struct sockaddr *)&address, &bytes))
		return;
	if (address.ss_family == AF_INET) {
		(void)inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
		snprintf(serve->address, sizeof(serve->address), "http://%s:%u/", text,
			 ntohs(v4->sin_port));
	} else {
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
		snprintf(serve->address, sizeof(serve->address), "http://[%s]:%u/", text,
			 ntohs(v6->sin6_port));
	}
}

/* What the library logs is of clients, who could fill the journal with it. */
static void serve_log(void *context, const char *format, va_list list)
{
	(void)context;
	(void)format;
	(void)list;
}

struct serve *serve_open(const struct agent_options *options, struct look *look, struct jobs *jobs,
			 const struct push *push)
{
	const unsigned int v6 = options->address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0;
	struct serve *serve = memory_alloc(sizeof(*serve));

	serve->options = options;
	serve->look = look;
	serve->jobs = jobs;
	serve->push = push;
	serve->rates = access_rates_open(options->rate);
	serve->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | v6, 0, NULL, NULL,
		serve_request, serve, MHD_OPTION_EXTERNAL_LOGGER, serve_log, NULL,
		MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)&options->address,
		MHD_OPTION_CONNECTION_LIMIT, BOUND_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)BOUND_REQUEST_BYTES, MHD_OPTION_NOTIFY_CONNECTION, serve_connection, serve,
		MHD_OPTION_NOTIFY_COMPLETED, serve_completed, serve, MHD_OPTION_END);
	if (serve->daemon) {
		serve_find_address(serve);
		return serve;
	}
	complain("agent: cannot listen there: the address is another's, or in use");
	access_rates_close(serve->rates);
	free(serve);
	return NULL;
}

void serve_close(struct serve *serve)
{
	while (serve->waiting)
		request_resume(serve->waiting);
	MHD_stop_daemon(serve->daemon);
	access_rates_close(serve->rates);
	free(serve);
}

const char *serve_address(const struct serve *serve)
{
	return serve->address;
}

int serve_fd(const struct serve *serve)
{
	return MHD_get_daemon_info(serve->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

uint64_t serve_due_ns(const struct serve *serve)
{
	MHD_UNSIGNED_LONG_LONG wait_ms;
	uint64_t due_ns = serve->connections ? serve->swept_ns + SWEEP_NS : UINT64_MAX;
	uint64_t own_ns;

	if (MHD_get_timeout(serve->daemon, &wait_ms) != MHD_YES)
		return due_ns;
	own_ns = clock_now_ns() + wait_ms * 1000000u;
	return own_ns < due_ns ? own_ns : due_ns;
}

void serve_step(struct serve *serve)
{
	(void)MHD_run(serve->daemon);
	if (clock_now_ns() - serve->swept_ns < SWEEP_NS)
		return;
	serve_sweep(serve);
	serve_resume(serve, true);
}
