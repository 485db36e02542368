/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* jobs.h - pictures that were asked for: which worker makes them, and who waits. */
#ifndef AGENT_JOBS_H
#define AGENT_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "picture.h"

struct jobs;

enum job_stage { JOB_QUEUED, JOB_RUNNING, JOB_DONE };

struct job {
	struct picture picture;
	enum job_stage stage;
	int out;	 /* a file with what was written; whoever takes it sets it to -1 */
	int said;	 /* with complaints */
	int wait_status; /* of the worker */
	bool late;	 /* it was killed for taking too long */
	pid_t worker;
	uint64_t due_ns;
	void *owner;
	struct job *next;
};

struct jobs *jobs_open(uint64_t worker_bytes);
void jobs_close(struct jobs *jobs);
/* NULL: too many wait already. */
struct job *jobs_add(struct jobs *jobs, const struct picture *picture, void *owner);
/* Begin what can be begun, note what has ended; READY is called for each that has. */
void jobs_step(struct jobs *jobs, void (*ready)(void *owner));
/* Are results in the way, so that others wait? */
bool jobs_are_held(const struct jobs *jobs);
uint64_t jobs_due_ns(const struct jobs *jobs);
/* Workers that a store or a limit put an end to. */
uint64_t jobs_deaths(const struct jobs *jobs);
/* Nobody wants it any more. */
void jobs_drop(struct jobs *jobs, struct job *job);

#endif
