/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * send.c - batches, one after the other, each table of theirs by itself.
 *
 * A table that was taken is removed from the batch, so that what is cut off goes on where it was.
 * Whatever was sent and not acknowledged is sent again: rows that are there twice count once.
 *
 * If the server fails, that is all for now; the next try is twice as long away, a part of it by
 * chance, so that a thousand hosts do not come back at the same moment. If it refuses one batch,
 * the others may still be good: their rows do not need it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/complain.h"
#include "send.h"

#define FIRST_SECONDS 1.0
#define MOST_SECONDS 900.0

static double send_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* At least half of it. */
static double send_jitter(double seconds)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		random = (uint32_t)getpid() * 2654435761u;
	return seconds * (0.5 + 0.5 * random / 4294967296.0);
}

static void send_failed(struct send *send, const struct server *server)
{
	double seconds = fmin(ldexp(FIRST_SECONDS, (int)(send->failed < 16 ? send->failed : 16)),
			      MOST_SECONDS);

	seconds = fmax(send_jitter(seconds), (double)server_retry_after(server));
	send->failed++;
	send->not_before = send_now() + seconds;
	if (!send->said)
		complain("push: %s: %s; what waits is kept", server_name(server),
			 server_error(server));
	send->said = true;
}

double send_wait(const struct send *send)
{
	double wait = send->failed ? send->not_before - send_now() : 0;

	return wait > 0 ? wait : 0;
}

static enum server_answer send_table(const struct spool *spool, struct server *server,
				     const char *batch, enum fleet_table_number table)
{
	const struct fleet_table *about = &fleet_tables[table];
	char *path = spool_file(spool, batch, table);
	enum server_answer answer = SERVER_TOOK;

	if (!access(path, F_OK)) {
		answer = server_insert(server, about->name, about->columns, path);
		if (answer == SERVER_TOOK)
			(void)unlink(path);
	}
	free(path);
	return answer;
}

static enum server_answer send_batch(const struct spool *spool, struct server *server,
				     const char *batch)
{
	enum server_answer answer = SERVER_TOOK;
	int table;

	for (table = 0; table < FLEET_TABLES && answer == SERVER_TOOK; table++)
		answer = send_table(spool, server, batch, (enum fleet_table_number)table);
	if (answer == SERVER_TOOK)
		spool_remove(spool, batch);
	return answer;
}

static bool send_all(struct send *send, const struct spool *spool, struct server *server,
		     char **names, size_t nr)
{
	enum server_answer answer = server_check(server);
	size_t i, refused = 0;

	for (i = 0; i < nr && answer != SERVER_FAILED; i++) {
		if (answer == SERVER_TOOK)
			answer = send_batch(spool, server, names[i]);
		if (answer != SERVER_REFUSED)
			continue;
		refused++;
		/* Were the tables not there, none would be taken. */
		answer = server_check(server);
		if (answer == SERVER_REFUSED)
			break;
	}
	if (answer == SERVER_TOOK && !refused) {
		*send = (struct send){0};
		return true;
	}
	send_failed(send, server);
	return false;
}

bool send_spool(struct send *send, const struct spool *spool, struct server *server)
{
	char **names;
	size_t nr;
	bool empty;

	if (send_wait(send) > 0)
		return false;
	nr = spool_list(spool, &names);
	empty = !nr || send_all(send, spool, server, names, nr);
	spool_list_free(names, nr);
	return empty;
}
