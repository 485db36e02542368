/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * push.c - look at the stores, put what is new into the spool, send what is there.
 *
 * A batch has a number that is greater than those before, whatever the clock does: the time in
 * milliseconds, or one more than the last. A spool that was lost so begins behind what it had sent.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "apart.h"
#include "base/clean.h"
#include "base/complain.h"
#include "base/memory.h"
#include "base/pause.h"
#include "base/status.h"
#include "bodies.h"
#include "collect.h"
#include "ended.h"
#include "profile/target.h"
#include "publish.h"
#include "push.h"
#include "resolve.h"
#include "send.h"
#include "spool.h"
#include "stores.h"

#define ROOT_SPOOL "/var/lib/stackdepot-push"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define BOOT_BYTES 36
#define BOOT_UNKNOWN "00000000-0000-0000-0000-000000000000"

struct push {
	const struct fleet_options *options;
	struct server *server;
	struct spool spool;
	struct send send;
	struct stores stores;
	char host[HOST_NAME_MAX + 1];
	char boot[BOOT_BYTES + 1];
};

static int64_t push_clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- who and where ---------------------------------------------------------------------------- */

static void push_read_boot(struct push *push)
{
	FILE *file = fopen(BOOT_ID, "re");

	if (!file || fread(push->boot, 1, BOOT_BYTES, file) != BOOT_BYTES ||
	    push->boot[strspn(push->boot, "0123456789abcdef-")])
		memcpy(push->boot, BOOT_UNKNOWN, sizeof(BOOT_UNKNOWN));
	if (file)
		(void)fclose(file);
}

static void push_name_host(struct push *push)
{
	char *clean;

	if (push->options->host)
		snprintf(push->host, sizeof(push->host), "%s", push->options->host);
	else if (gethostname(push->host, sizeof(push->host) - 1))
		snprintf(push->host, sizeof(push->host), "unknown");
	clean = clean_short(push->host, sizeof(push->host) - 1);
	snprintf(push->host, sizeof(push->host), "%s", clean);
	free(clean);
}

/* To be freed. */
static char *push_spool_directory(const struct fleet_options *options)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (options->spool)
		return memory_strdup(options->spool);
	if (!geteuid())
		return memory_strdup(ROOT_SPOOL);
	if (state && *state == '/')
		return memory_print("%s/stackdepot/push", state);
	return memory_print("%s/.local/state/stackdepot/push", home && *home ? home : "");
}

/* --- a batch ---------------------------------------------------------------------------------- */

/* When a batch was made, by both clocks. */
struct push_moment {
	int64_t wall_ms;
	int64_t boot_ms;
};

/* How much the clock was set since the last batch: 0 in another boot, or if it just went on. In a
 * unit that does not see /proc/sys, nobody knows which boot it is. */
static int64_t push_clock_step(struct push *push, const struct push_moment *moment)
{
	struct state *state = push->spool.state;
	const int64_t difference = moment->wall_ms - moment->boot_ms;
	const int64_t step = difference - state->wall_less_monotonic_ms;
	const bool known = !strcmp(state->boot, push->boot) && strcmp(push->boot, BOOT_UNKNOWN);

	state->wall_less_monotonic_ms = difference;
	state_set(&state->boot, push->boot);
	return known && llabs(step) >= 1000 ? step : 0;
}

static void push_batch_row(struct push *push, struct rows *rows, const struct push_moment *moment,
			   size_t unread)
{
	rows_column(rows, push->host);
	rows_integer(rows, push->spool.state->seq);
	rows_column(rows, push->boot);
	rows_integer(rows, (uint64_t)moment->wall_ms / 1000);
	rows_integer(rows, (uint64_t)moment->boot_ms);
	rows_number(rows, (double)push_clock_step(push, moment));
	rows_integer(rows, push->stores.nr - unread);
	rows_integer(rows, unread);
	rows_integer(rows, 0);
	rows_integer(rows, 0);
	rows_integer(rows, 0);
	rows_column(rows, STACKDEPOT_VERSION);
	rows_end(rows);
}

/* How many could not be read. */
static size_t push_collect(struct push *push, const struct collect *collect)
{
	size_t i, unread = 0;

	for (i = 0; i < push->stores.nr && !ended(); i++) {
		uint32_t pid;
		char *path = target_path(push->stores.names[i], &pid);

		unread += !path || !collect_store(collect, path);
		free(path);
	}
	return unread + (push->stores.nr - i);
}

/* False after a complaint: the spool cannot be written. *RET_UNREAD stores could not be read. */
static bool push_add(struct push *push, size_t *ret_unread)
{
	struct rows tables[FLEET_TABLES] = {{0}};
	struct state *state = push->spool.state;
	const struct push_moment moment = {push_clock_ms(CLOCK_REALTIME),
					   push_clock_ms(CLOCK_BOOTTIME)};
	const struct collect collect = {
		.state = state,
		.tables = tables,
		.labels = {push->options->service, push->host, push->options->version, push->boot},
		.time = (uint64_t)moment.wall_ms / 1000,
		.memory_bytes = push->options->store_bytes,
		.lost = push->options->lost,
	};
	bool good;
	int i;

	state->seq =
		(uint64_t)moment.wall_ms > state->seq ? (uint64_t)moment.wall_ms : state->seq + 1;
	*ret_unread = push_collect(push, &collect);
	push_batch_row(push, &tables[FLEET_BATCHES], &moment, *ret_unread);
	good = spool_add(&push->spool, tables);
	for (i = 0; i < FLEET_TABLES; i++)
		rows_free(&tables[i]);
	return good;
}

/* --- once, and for ever ----------------------------------------------------------------------- */

static int push_say_waiting(const struct push *push)
{
	char **names;
	size_t nr = spool_list(&push->spool, &names);

	spool_list_free(names, nr);
	if (!nr)
		return STATUS_CLEAN;
	complain("push: %zu batch%s not sent yet; %s keeps %s", nr, nr == 1 ? " is" : "es are",
		 push->spool.path, nr == 1 ? "it" : "them");
	return STATUS_FAILED;
}

/* In a process of its own, where the server is another connection. */
static bool push_names_apart(void *context, FILE *out)
{
	struct push *push = context;
	struct server *server = server_open(&push->options->server);

	(void)out;
	return server && resolve_names(&push->spool, server, push->stores.names, push->stores.nr);
}

static bool push_names(struct push *push)
{
	FILE *file = apart_run(push_names_apart, push, push->options->store_bytes, "--symbols");

	if (file)
		(void)fclose(file);
	return file;
}

static int push_once(struct push *push)
{
	size_t unread;
	int tries, status;

	stores_open(&push->stores, push->options);
	if (!push_add(push, &unread) || !spool_fit(&push->spool))
		return STATUS_FAILED;
	for (tries = 0; tries < FLEET_TRIES && !send_spool(&push->send, &push->spool, push->server);
	     tries++)
		if (tries + 1 < FLEET_TRIES)
			pause_for(send_wait(&push->send));
	status = push_say_waiting(push);
	if (!status && push->options->symbols && !push_names(push))
		status = STATUS_FAILED;
	return unread ? STATUS_FAILED : status;
}

static int push_for_ever(struct push *push)
{
	size_t unread;

	ended_note();
	while (!ended()) {
		stores_open(&push->stores, push->options);
		if (!push_add(push, &unread) || !spool_fit(&push->spool))
			return STATUS_FAILED;
		if (send_spool(&push->send, &push->spool, push->server) && push->options->symbols)
			(void)push_names(push);
		stores_close(&push->stores, push->options);
		ended_pause(push->options->every);
	}
	return push_say_waiting(push);
}

static int push_spool(struct push *push)
{
	char *directory = push_spool_directory(push->options);
	char *server =
		memory_print("%s %s", server_name(push->server), server_database(push->server));
	int status = STATUS_FAILED;

	if (spool_open(&push->spool, directory, server, push->options->spool_bytes))
		status = push->options->every > 0 ? push_for_ever(push) : push_once(push);
	spool_close(&push->spool);
	free(directory);
	free(server);
	return status;
}

int push_run(const struct fleet_options *options)
{
	struct push push = {.options = options};
	int status;

	if (!options->nr_words && !options->nr_places)
		return fleet_options_complain("push", "of what? STORE is missing, or --stores");
	umask(077);
	push_name_host(&push);
	push_read_boot(&push);
	if (options->format == FLEET_OTLP && !options->experimental)
		return fleet_options_complain("push", "--format=otlp takes --experimental");
	if (options->format == FLEET_PPROF && !body_knows(options->server.url))
		return fleet_options_complain(
			"push",
			"--server of --format=pprof ends with /ingest, of Pyroscope, or with "
			"/profiles/writeraw, of Parca");
	if (options->format != FLEET_CLICKHOUSE)
		return publish_run(options, push.host);
	push.server = server_open(&options->server);
	if (!push.server)
		return STATUS_FAILED;
	status = push_spool(&push);
	server_close(push.server);
	return status;
}
