/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * jobs.c - pictures that were asked for.
 *
 * At most BOUND_WORKERS are made at a time; those who wait some seconds by order leave one worker
 * for the others. A result lies in a file in memory until it is taken, and so many of them are the
 * bound of what results take.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "clock.h"
#include "jobs.h"
#include "bounds.h"
#include "worker.h"

struct jobs {
	struct job *first; /* in the order they came, whatever their stage */
	uint64_t worker_bytes;
	uint64_t deaths;
};

struct jobs *jobs_open(uint64_t worker_bytes)
{
	struct jobs *jobs = memory_alloc(sizeof(*jobs));

	jobs->worker_bytes = worker_bytes;
	return jobs;
}

struct jobs_count {
	size_t queued, running, sleeping, asking, all;
};

static struct jobs_count jobs_count(const struct jobs *jobs)
{
	struct jobs_count count = {0};
	const struct job *job;

	for (job = jobs->first; job; job = job->next) {
		count.queued += job->stage == JOB_QUEUED;
		count.running += job->stage == JOB_RUNNING;
		count.sleeping += job->stage == JOB_RUNNING && job->picture.seconds;
		count.asking += job->stage == JOB_RUNNING && job->picture.kind >= PICTURE_FLEET;
		count.all++;
	}
	return count;
}

struct job *jobs_add(struct jobs *jobs, const struct picture *picture, void *owner)
{
	struct job **end = &jobs->first, *job;

	if (jobs_count(jobs).queued >= BOUND_QUEUE)
		return NULL;
	while (*end)
		end = &(*end)->next;
	job = memory_alloc(sizeof(*job));
	*job = (struct job){.picture = *picture, .out = -1, .said = -1, .owner = owner};
	*end = job;
	return job;
}

static int jobs_picture(void *context)
{
	return picture_run(context);
}

/* Without room for it, it is done at once, and says so by having nothing to take. */
static void jobs_start(struct jobs *jobs, struct job *job)
{
	struct worker_start start = {
		.run = jobs_picture,
		.context = &job->picture,
		.memory_bytes = jobs->worker_bytes,
		.cpu_seconds = BOUND_WORKER_SECONDS,
	};

	start.out = job->out = memfd_create("stackdepot-agent", MFD_CLOEXEC);
	start.errors = job->said = memfd_create("stackdepot-agent", MFD_CLOEXEC);
	job->worker = job->out < 0 || job->said < 0 ? -1 : worker_start(&start);
	job->stage = job->worker < 0 ? JOB_DONE : JOB_RUNNING;
	job->wait_status = -1;
	job->due_ns = clock_now_ns() +
		      (job->picture.seconds + (uint64_t)BOUND_WORKER_SECONDS) * 1000000000u;
}

static bool jobs_may_start(const struct jobs *jobs, const struct job *job)
{
	const struct jobs_count count = jobs_count(jobs);

	if (count.all - count.queued >= BOUND_OUTPUTS)
		return false;
	if (job->picture.kind >= PICTURE_FLEET && count.asking >= BOUND_ASKERS)
		return false;
	return count.running < BOUND_WORKERS &&
	       (!job->picture.seconds || count.sleeping < BOUND_SLEEPERS);
}

static void jobs_look(struct jobs *jobs, struct job *job)
{
	if (clock_now_ns() >= job->due_ns) {
		job->late = true;
		worker_kill(job->worker);
	}
	if (waitpid(job->worker, &job->wait_status, WNOHANG) <= 0)
		return;
	job->worker = 0;
	job->stage = JOB_DONE;
	jobs->deaths +=
		WIFSIGNALED(job->wait_status) || WEXITSTATUS(job->wait_status) == WORKER_NO_MEMORY;
}

void jobs_step(struct jobs *jobs, void (*ready)(void *owner))
{
	struct job *job;

	for (job = jobs->first; job; job = job->next) {
		const enum job_stage before = job->stage;

		if (job->stage == JOB_QUEUED && jobs_may_start(jobs, job))
			jobs_start(jobs, job);
		else if (job->stage == JOB_RUNNING)
			jobs_look(jobs, job);
		if (job->stage == JOB_DONE && before != JOB_DONE)
			ready(job->owner);
	}
}

bool jobs_are_held(const struct jobs *jobs)
{
	const struct jobs_count count = jobs_count(jobs);

	return count.queued && count.all - count.queued >= BOUND_OUTPUTS;
}

uint64_t jobs_due_ns(const struct jobs *jobs)
{
	uint64_t due_ns = UINT64_MAX;
	const struct job *job;

	for (job = jobs->first; job; job = job->next)
		if (job->stage == JOB_RUNNING && job->due_ns < due_ns)
			due_ns = job->due_ns;
	return due_ns;
}

uint64_t jobs_deaths(const struct jobs *jobs)
{
	return jobs->deaths;
}

void jobs_drop(struct jobs *jobs, struct job *job)
{
	struct job **at = &jobs->first;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	if (job->worker > 0) {
		worker_kill(job->worker);
		(void)waitpid(job->worker, NULL, 0);
	}
	if (job->out >= 0)
		(void)close(job->out);
	if (job->said >= 0)
		(void)close(job->said);
	free(job);
}

void jobs_close(struct jobs *jobs)
{
	while (jobs->first)
		jobs_drop(jobs, jobs->first);
	free(jobs);
}
