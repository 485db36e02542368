/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * look.c - looking at the stores by and by.
 *
 * One worker looks at a time. If it dies of a store, or takes too long over one, that store is bad:
 * the look begins anew without it, and it is tried again after some minutes. What came of the last
 * look that was completed stays until the next one is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "clock.h"
#include "look.h"
#include "scan.h"
#include "worker.h"

#define LOOK_TRIES 8u /* of one look */
#define LOOK_CPU_SECONDS 60u
#define LOOK_RECORDS 64u

struct look_bad {
	uint64_t device;
	uint64_t inode;
	uint64_t until_ns;
};

struct look {
	const struct agent_options *options;
	struct state now;
	struct state next;
	pid_t worker; /* 0: none */
	int fd;	      /* where its records come from */
	uint64_t begun_ns;
	uint64_t last_ns; /* when the last record came */
	unsigned int tries;
	struct record_store at; /* the store that it is at */
	bool is_at;
	bool ended; /* RECORD_END has come */
	struct look_bad bad[BOUND_BAD_STORES];
	uint64_t deaths;
	size_t used; /* bytes in `buffer` */
	struct record buffer[LOOK_RECORDS];
};

struct look *look_open(const struct agent_options *options)
{
	struct look *look = memory_alloc(sizeof(*look));

	look->options = options;
	look->fd = -1;
	return look;
}

/* --- bad stores ------------------------------------------------------------------------------- */

static bool look_is_bad(void *context, uint64_t device, uint64_t inode)
{
	const struct look *look = context;
	size_t i;

	for (i = 0; i < BOUND_BAD_STORES; i++)
		if (look->bad[i].inode == inode && look->bad[i].device == device &&
		    look->bad[i].until_ns > look->begun_ns)
			return true;
	return false;
}

bool look_avoids(const struct look *look, uint64_t device, uint64_t inode)
{
	return look_is_bad((void *)(uintptr_t)look, device, inode);
}

/* The one that would be tried again first gives way. */
static void look_add_bad(struct look *look)
{
	struct look_bad *bad = &look->bad[0];
	size_t i;

	for (i = 1; i < BOUND_BAD_STORES; i++)
		if (look->bad[i].until_ns < bad->until_ns)
			bad = &look->bad[i];
	*bad = (struct look_bad){look->at.device, look->at.inode, clock_now_ns() + BOUND_BAD_NS};
	look->at.path[sizeof(look->at.path) - 1] = '\0';
	complain("%s: cannot be read, and is left alone for a while", look->at.path);
}

/* --- the worker ------------------------------------------------------------------------------- */

static int look_run(void *context)
{
	struct look *look = context;
	const struct scan scan = {look->options->places, look->options->nr_places, look_is_bad,
				  look};

	return scan_run(&scan);
}

static void look_start(struct look *look)
{
	struct worker_start start = {
		.run = look_run,
		.context = look,
		.errors = -1,
		.memory_bytes = look->options->worker_bytes,
		.cpu_seconds = LOOK_CPU_SECONDS,
	};
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return;
	/* The worker waits if records are not taken at once. */
	(void)fcntl(ends[1], F_SETFL, 0);
	start.out = ends[1];
	look->worker = worker_start(&start);
	(void)close(ends[1]);
	if (look->worker < 0) {
		look->worker = 0;
		(void)close(ends[0]);
		return;
	}
	look->fd = ends[0];
	look->last_ns = clock_now_ns();
	look->used = 0;
	look->is_at = look->ended = false;
}

static void look_stop(struct look *look)
{
	if (look->worker > 0) {
		worker_kill(look->worker);
		(void)waitpid(look->worker, NULL, 0);
		(void)close(look->fd);
	}
	look->worker = 0;
	look->fd = -1;
}

void look_begin(struct look *look)
{
	if (look->worker)
		return;
	look->begun_ns = clock_now_ns();
	look->tries = 0;
	look_start(look);
}

/* --- records ---------------------------------------------------------------------------------- */

static void look_record(struct look *look, const struct record *record)
{
	look->is_at = record->kind == RECORD_BEGIN;
	if (look->is_at) {
		look->at = record->store;
	} else if (record->kind == RECORD_END) {
		look->next.counts = record->counts;
		look->ended = true;
	} else {
		(void)state_add(&look->next, record);
	}
}

/* False: the worker is gone, or has said all. */
static bool look_read(struct look *look)
{
	char *bytes = (char *)look->buffer;
	size_t i, nr;
	ssize_t got;

	do {
		got = read(look->fd, bytes + look->used, sizeof(look->buffer) - look->used);
		if (got <= 0)
			return got < 0 && (errno == EAGAIN || errno == EINTR);
		look->used += (size_t)got;
		look->last_ns = clock_now_ns();
		nr = look->used / sizeof(struct record);
		for (i = 0; i < nr && !look->ended; i++)
			look_record(look, &look->buffer[i]);
		look->used -= nr * sizeof(struct record);
		memmove(bytes, bytes + nr * sizeof(struct record), look->used);
	} while (!look->ended);
	return false;
}

/* --- the times -------------------------------------------------------------------------------- */

static void look_complete(struct look *look)
{
	look->next.time_ns = clock_now_ns();
	look->next.took_ns = look->next.time_ns - look->begun_ns;
	state_finish(&look->next, &look->now, look->options->interval_ns);
	state_free(&look->now);
	look->now = look->next;
	look->next = (struct state){0};
}

/* The worker has come to an end that is none. True: it is not tried again. */
static bool look_again(struct look *look)
{
	look->deaths++;
	state_free(&look->next);
	if (look->is_at)
		look_add_bad(look);
	if (++look->tries >= LOOK_TRIES) {
		complain("agent: the stores could not be looked at");
		return true;
	}
	look_start(look);
	return !look->worker;
}

bool look_step(struct look *look)
{
	const uint64_t now = clock_now_ns();
	bool ended;

	if (!look->worker) {
		if (now >= look_due_ns(look))
			look_begin(look);
		return false;
	}
	if (look_read(look) && now < look->last_ns + BOUND_STORE_NS)
		return false;
	ended = look->ended;
	look_stop(look);
	if (!ended)
		return look_again(look);
	look_complete(look);
	return true;
}

uint64_t look_due_ns(const struct look *look)
{
	if (look->worker)
		return look->last_ns + BOUND_STORE_NS;
	return look->begun_ns ? look->begun_ns + look->options->interval_ns : 0;
}

int look_fd(const struct look *look)
{
	return look->fd;
}

const struct state *look_state(const struct look *look)
{
	return &look->now;
}

bool look_is_fresh(const struct look *look)
{
	return look->now.time_ns && clock_now_ns() - look->now.time_ns < BOUND_SCAN_FRESH_NS;
}

uint64_t look_deaths(const struct look *look)
{
	return look->deaths;
}

void look_close(struct look *look)
{
	look_stop(look);
	state_free(&look->now);
	state_free(&look->next);
	free(look);
}
