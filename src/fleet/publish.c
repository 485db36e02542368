/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * publish.c - stores, one after the other, each read by a process of its own and sent.
 *
 * That process tells service and release, a line each, and the profile behind them.
 *
 * What is not taken is gone, and so it is said: of each store when it begins to fail, and how many
 * moments it were when that is over.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apart.h"
#include "base/complain.h"
#include "base/memory.h"
#include "base/pause.h"
#include "base/rights.h"
#include "base/status.h"
#include "bodies.h"
#include "ended.h"
#include "export/export.h"
#include "labels.h"
#include "otlp.h"
#include "profile/alive.h"
#include "profile/profile.h"
#include "profile/target.h"
#include "publish.h"
#include "stores.h"

/* A store whose moments are not taken. */
struct publish_miss {
	char *name;
	uint64_t nr;	/* of them, one after the other */
	uint64_t round; /* the last of them */
};

struct publish {
	const struct fleet_options *options;
	const char *host;
	struct server *server;
	uint64_t round; /* all stores, once */
	struct publish_miss *misses;
	size_t nr_misses;
	size_t room;
};

/* --- in a process of its own ------------------------------------------------------------------ */

struct publish_part {
	const struct publish *publish;
	const char *name;
};

static void part_write(const struct publish *publish, const struct profile *profile,
		       const struct body_labels *labels, FILE *out)
{
	const struct export export = {
		.profile = profile, .value = EXPORT_LIVE_BYTES, .out = out, .live_only = true};

	if (publish->options->format == FLEET_OTLP)
		otlp_write(&export, labels);
	else
		export_pprof(&export);
}

/*
 * Nothing is released: the process ends. Of a program that has ended, what it left is told by hand,
 * and not again and again as if it were there.
 */
static bool part_read(void *context, FILE *out)
{
	const struct publish_part *part = context;
	const struct fleet_options *options = part->publish->options;
	char *names[] = {(char *)(uintptr_t)part->name}, *path = labels_path(part->name);
	const struct targets targets = {.names = names, .nr = 1, .running = true};
	const struct labels labels = {options->service, part->publish->host, options->version, ""};
	struct profile *profile = profile_open(&targets, NULL);
	struct body_labels body = {.host = part->publish->host};

	if (!profile)
		return false;
	body.service = labels_service(&labels, path);
	body.version = labels_version(&labels, path);
	rights_drop();
	if (options->every > 0 && !profile_running(profile))
		return true;
	fprintf(out, "%s\n%s\n", body.service, body.version);
	part_write(part->publish, profile, &body, out);
	return true;
}

/* --- what is not taken ------------------------------------------------------------------------ */

static struct publish_miss *publish_find(const struct publish *publish, const char *name)
{
	size_t i;

	for (i = 0; i < publish->nr_misses; i++)
		if (!strcmp(publish->misses[i].name, name))
			return &publish->misses[i];
	return NULL;
}

/* The first is said at once. */
static void publish_missed(struct publish *publish, const char *name)
{
	struct publish_miss *miss = publish_find(publish, name);

	if (!miss) {
		complain("push: %s: %s; this moment of %s is not told",
			 server_name(publish->server), server_error(publish->server), name);
		publish->misses = memory_room(publish->misses, publish->nr_misses, &publish->room,
					      sizeof(*publish->misses));
		miss = &publish->misses[publish->nr_misses++];
		*miss = (struct publish_miss){.name = memory_strdup(name)};
	}
	miss->nr++;
	miss->round = publish->round;
}

/* Nothing of it was sent: what the server did not take before is not over. */
static void publish_unread(const struct publish *publish, const char *name)
{
	struct publish_miss *miss = publish_find(publish, name);

	if (!miss || ended())
		return;
	miss->nr++;
	miss->round = publish->round;
}

/* It is over: the store is taken, or is told no more. The others come with their number. */
static void publish_settle(struct publish *publish, struct publish_miss *miss)
{
	if (miss->nr > 1)
		complain("push: %s: %" PRIu64 " moments of %s were not told",
			 server_name(publish->server), miss->nr, miss->name);
	free(miss->name);
	*miss = publish->misses[--publish->nr_misses];
}

static void publish_taken(struct publish *publish, const char *name)
{
	struct publish_miss *miss = publish_find(publish, name);

	if (miss)
		publish_settle(publish, miss);
}

/* Those that were not to be told since ROUND began. */
static void publish_settle_before(struct publish *publish, uint64_t round)
{
	size_t i = publish->nr_misses;

	while (i--)
		if (publish->misses[i].round < round)
			publish_settle(publish, &publish->misses[i]);
}

/* --- sending ---------------------------------------------------------------------------------- */

static char *publish_line(FILE *file)
{
	char *line = NULL;
	size_t room = 0;

	if (getline(&line, &room, file) < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* Fewer tries of one that is to go on: the next moment is another try. */
static bool publish_try(struct publish *publish, const struct body_labels *labels,
			const struct rows *profile, const char *name)
{
	const int tries = publish->options->every > 0 ? 1 : FLEET_TRIES;
	enum server_answer answer = SERVER_FAILED;
	int i;

	for (i = 0; i < tries && answer == SERVER_FAILED; i++) {
		if (i)
			pause_for(
				fmax(ldexp(1, i - 1), (double)server_retry_after(publish->server)));
		answer = body_send(publish->server, publish->options->format, labels, profile);
	}
	if (answer == SERVER_TOOK)
		publish_taken(publish, name);
	else
		publish_missed(publish, name);
	return answer == SERVER_TOOK;
}

static bool publish_send(struct publish *publish, FILE *file, const char *name)
{
	char *service = publish_line(file), *version = publish_line(file), part[65536];
	const struct body_labels labels = {service, publish->host, version};
	struct rows profile = {0};
	size_t length;
	bool good = true;

	while (version && (length = fread(part, 1, sizeof(part), file)))
		rows_add(&profile, part, length);
	if (profile.length)
		good = publish_try(publish, &labels, &profile, name);
	rows_free(&profile);
	free(service);
	free(version);
	return good;
}

static bool publish_store(struct publish *publish, const char *word)
{
	uint32_t pid;
	char *path = target_path(word, &pid), *name = path ? labels_path(path) : NULL;
	struct publish_part part = {publish, path};
	FILE *file = path ? apart_run(part_read, &part, publish->options->store_bytes, name) : NULL;
	bool good = file && publish_send(publish, file, name);

	if (file)
		(void)fclose(file);
	else if (path)
		publish_unread(publish, name);
	free(path);
	free(name);
	return good;
}

static bool publish_all(struct publish *publish)
{
	struct stores stores;
	bool good = true;
	size_t i;

	publish->round++;
	stores_open(&stores, publish->options);
	for (i = 0; i < stores.nr && !ended(); i++)
		good = (publish_store(publish, stores.names[i]) || ended()) && good;
	stores_close(&stores, publish->options);
	if (!ended())
		publish_settle_before(publish, publish->round);
	return good;
}

int publish_run(const struct fleet_options *options, const char *host)
{
	struct publish publish = {.options = options, .host = host};
	bool good;

	publish.server = server_open(&options->server);
	if (!publish.server)
		return STATUS_FAILED;
	if (options->every > 0)
		ended_note();
	do {
		good = publish_all(&publish);
		if (options->every > 0)
			ended_pause(options->every);
	} while (options->every > 0 && !ended());
	publish_settle_before(&publish, UINT64_MAX);
	free(publish.misses);
	server_close(publish.server);
	return good ? STATUS_CLEAN : STATUS_FAILED;
}
