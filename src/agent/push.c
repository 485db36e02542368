/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * push.c - a worker finds the stores, as the one that looks at them does, and becomes `stackdepot
 * push`.
 *
 * It hands them over as descriptors, so that what was checked is what is read, whatever a name
 * leads to by then. Stores that put an end to a worker are left out for as long as elsewhere.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/memory.h"
#include "base/status.h"
#include "bounds.h"
#include "clock.h"
#include "find/find.h"
#include "push.h"
#include "worker.h"

#define PUSH_CPU_SECONDS 120
#define PUSH_MEMORY 2 /* times that of a worker: it reads one store, and knows of all */
#define PUSH_NEVER UINT64_MAX

struct push {
	const struct agent_options *options;
	const struct look *look;
	pid_t worker; /* 0: none */
	uint64_t due_ns;
	uint64_t times;
	uint64_t failures;
};

struct push *push_open(const struct agent_options *options, const struct look *look)
{
	struct push *push = memory_alloc(sizeof(*push));

	push->options = options;
	push->look = look;
	/* After the first look, which finds out which stores are bad. */
	push->due_ns = options->push_server ? clock_now_ns() + options->interval_ns : PUSH_NEVER;
	return push;
}

void push_close(struct push *push)
{
	worker_kill(push->worker);
	if (push->worker > 0)
		(void)waitpid(push->worker, NULL, 0);
	free(push);
}

uint64_t push_times(const struct push *push)
{
	return push->times;
}

uint64_t push_failures(const struct push *push)
{
	return push->failures;
}

/* Its end is told by a signal. */
uint64_t push_due_ns(const struct push *push)
{
	return push->worker ? PUSH_NEVER : push->due_ns;
}

/* --- in the worker ---------------------------------------------------------------------------- */

struct push_words {
	const struct push *push;
	char **words;
	size_t nr;
	size_t room;
};

static void push_word(struct push_words *words, char *word)
{
	words->words = memory_room(words->words, words->nr, &words->room, sizeof(*words->words));
	words->words[words->nr++] = word;
}

static bool push_found(void *context, const struct find_store *store)
{
	struct push_words *words = context;
	int fd;

	if (look_avoids(words->push->look, store->st.st_dev, store->st.st_ino))
		return true;
	fd = fcntl(store->fd, F_DUPFD, STDERR_FILENO + 1);
	if (fd >= 0)
		push_word(words, memory_print("/proc/self/fd/%d", fd));
	return fd >= 0;
}

static int push_run(void *context)
{
	const struct push *push = context;
	const struct agent_options *options = push->options;
	struct push_words words = {.push = push};
	struct find_counts counts;
	size_t before;

	push_word(&words, memory_strdup("stackdepot-fleet"));
	push_word(&words, memory_strdup("push"));
	push_word(&words, memory_print("--server=%s", options->push_server));
	if (options->push_credentials)
		push_word(&words, memory_print("--credentials=%s", options->push_credentials));
	if (options->push_authority)
		push_word(&words, memory_print("--ca-file=%s", options->push_authority));
	push_word(&words, memory_print("--store-memory=%" PRIu64, options->worker_bytes));
	if (options->push_spool)
		push_word(&words, memory_print("--spool=%s", options->push_spool));
	push_word(&words, memory_strdup("--"));
	before = words.nr;
	find_stores(options->places, options->nr_places, push_found, &words, &counts);
	if (words.nr == before)
		return STATUS_CLEAN;
	push_word(&words, NULL);
	return beside_exec("stackdepot-fleet", "fleet", words.words);
}

/* ---------------------------------------------------------------------------------------------- */

static void push_begin(struct push *push)
{
	struct worker_start start = {
		.run = push_run,
		.context = push,
		.out = open("/dev/null", O_WRONLY | O_CLOEXEC),
		.errors = STDERR_FILENO,
		.memory_bytes = PUSH_MEMORY * push->options->worker_bytes,
		.cpu_seconds = PUSH_CPU_SECONDS,
		.keeps_files = true, /* the spool, which has a bound of its own, and its state */
	};

	push->due_ns = clock_now_ns() + push->options->push_ns;
	if (start.out < 0)
		return;
	push->worker = worker_start(&start);
	if (push->worker < 0)
		push->worker = 0;
	(void)close(start.out);
}

void push_step(struct push *push)
{
	int status;

	if (push->worker && waitpid(push->worker, &status, WNOHANG) > 0) {
		push->worker = 0;
		push->times++;
		push->failures += !WIFEXITED(status) || WEXITSTATUS(status);
	}
	if (!push->worker && push->due_ns <= clock_now_ns())
		push_begin(push);
}
