/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * worker.h - processes that read stores, so that the one that serves never does.
 *
 * A store may be truncated while it is mapped, may take for ever or fill memory; its symbols are
 * read by libraries that end the process when memory is short. All of that is a worker's end then,
 * and no more.
 */
#ifndef AGENT_WORKER_H
#define AGENT_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WORKER_NO_MEMORY 3 /* its exit status */

typedef int worker_fn(void *context);

struct worker_start {
	worker_fn *run; /* its result is the exit status */
	void *context;
	int out; /* becomes its standard output, and ERRORS, unless -1, its standard error */
	int errors;
	uint64_t memory_bytes; /* it may take, beside the stores that it maps */
	unsigned int cpu_seconds;
	bool keeps_files; /* of its own, which are larger than a result may be */
};

/* The number of a new process; -1 with errno set. It has no other descriptor of ours. */
pid_t worker_start(const struct worker_start *start);
/* It is killed, unless it is 0. */
void worker_kill(pid_t worker);

#endif
