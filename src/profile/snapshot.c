/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* snapshot.c - the sums of all stacks at one moment. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "snapshot.h"

static int snapshot_compare(const void *a, const void *b)
{
	const struct snapshot_stack *left = a, *right = b;

	return left->id < right->id ? -1 : left->id > right->id;
}

/* Of those with the same id one is left. */
static void snapshot_merge(struct snapshot *snapshot)
{
	size_t i, nr = 0;

	for (i = 0; i < snapshot->nr; i++) {
		struct snapshot_stack *stack = &snapshot->stacks[i];

		if (nr && snapshot->stacks[nr - 1].id == stack->id)
			profile_sums_add(&snapshot->stacks[nr - 1].sums, &stack->sums);
		else
			snapshot->stacks[nr++] = *stack;
	}
	snapshot->nr = nr;
}

/*
 * The moment the sums are of. A process that is not here any more may have been killed, and a store
 * may be a copy: then it is the moment of the last event.
 */
static uint64_t snapshot_time_of(const struct profile *profile,
				 const struct profile_process *process)
{
	struct stackdepot *depot =
		stackdepot_store_depot(profile_store_of(profile, process)->store);
	struct stackdepot_event event;
	uint64_t position = 0;

	if (process->info.end_monotonic_ns)
		return process->info.end_monotonic_ns;
	return stackdepot_ring_next(depot, &position, &event) ? event.time : 0;
}

static uint64_t snapshot_time(const struct profile *profile)
{
	uint64_t time, latest = 0;
	struct timespec now;
	size_t i;

	if (profile_running(profile) && !clock_gettime(CLOCK_MONOTONIC, &now))
		return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	for (i = 0; i < profile->nr_processes; i++) {
		time = snapshot_time_of(profile, &profile->processes[i]);
		latest = time > latest ? time : latest;
	}
	return latest;
}

void snapshot_take(const struct profile *profile, enum snapshot_by by,
		   struct snapshot *ret_snapshot)
{
	struct snapshot snapshot = {.nr = profile->nr, .time_ns = snapshot_time(profile)};
	size_t i;

	snapshot.stacks = memory_alloc(snapshot.nr * sizeof(*snapshot.stacks));
	for (i = 0; i < snapshot.nr; i++) {
		const struct profile_stack *from = &profile->stacks[i];

		snapshot.stacks[i] = (struct snapshot_stack){
			.id = by == SNAPSHOT_BY_KEY ? profile_key(&from->trace) : from->trace.hash,
			.sums = from->sums,
			.stack = from,
		};
		profile_sums_add(&snapshot.total, &from->sums);
	}
	if (snapshot.nr)
		qsort(snapshot.stacks, snapshot.nr, sizeof(*snapshot.stacks), snapshot_compare);
	snapshot_merge(&snapshot);
	*ret_snapshot = snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
	free(snapshot->stacks);
	memset(snapshot, 0, sizeof(*snapshot));
}

const struct snapshot_stack *snapshot_find(const struct snapshot *snapshot, uint64_t id)
{
	const struct snapshot_stack wanted = {.id = id};

	if (!snapshot->nr)
		return NULL;
	return bsearch(&wanted, snapshot->stacks, snapshot->nr, sizeof(wanted), snapshot_compare);
}
