/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* lost_stacks.c - lost objects of processes, by the stack that allocated them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alive.h"
#include "base/complain.h"
#include "base/memory.h"
#include "profile.h"

static int stacks_by_trace(const void *a, const void *b)
{
	const struct lost_stack *left = a, *right = b;

	return (left->trace > right->trace) - (left->trace < right->trace);
}

/* The first of equal ones takes them all; how many are left. */
static size_t stacks_merge(struct lost_stack *stacks, size_t nr)
{
	size_t i, left = 0;

	for (i = 1; i < nr; i++) {
		struct lost_stack *last = &stacks[left];

		if (last->trace != stacks[i].trace) {
			stacks[++left] = stacks[i];
			continue;
		}
		last->objects += stacks[i].objects;
		last->bytes += stacks[i].bytes;
		last->lost_objects += stacks[i].lost_objects;
		last->lost_bytes += stacks[i].lost_bytes;
		last->objects_variance += stacks[i].objects_variance;
		last->bytes_variance += stacks[i].bytes_variance;
	}
	return nr ? left + 1 : 0;
}

void lost_found_from(const struct lost *lost, struct lost_found *ret_found)
{
	struct lost_stack *stacks = memory_alloc(lost->nr * sizeof(*stacks));
	size_t i, nr = 0;

	for (i = 0; i < lost->nr; i++) {
		const struct stackdepot_object *object = &lost->objects[i].object;
		double bytes = object->weight * (double)object->size;
		double variance = object->weight * (object->weight - 1);
		bool itself = lost->objects[i].verdict == LOST_LOST;

		if (lost->objects[i].verdict == LOST_REACHABLE)
			continue;
		stacks[nr++] = (struct lost_stack){
			.trace = object->trace,
			.objects = object->weight,
			.bytes = bytes,
			.lost_objects = itself ? object->weight : 0,
			.lost_bytes = itself ? bytes : 0,
			.objects_variance = variance,
			.bytes_variance = variance * (double)object->size * (double)object->size,
		};
	}
	if (nr)
		qsort(stacks, nr, sizeof(*stacks), stacks_by_trace);
	*ret_found = (struct lost_found){
		.stacks = stacks,
		.nr = stacks_merge(stacks, nr),
		.looked_at = lost->nr,
		.stopped_ns = lost->stopped_ns,
		.copied_bytes = lost->copied_bytes,
		.threads = lost->threads,
		.heap_is_roots = lost->heap_is_roots,
	};
}

void lost_found_free(struct lost_found *found)
{
	free(found->stacks);
	*found = (struct lost_found){0};
}

const char *lost_error(int error)
{
	switch (error) {
	case -ESRCH:
		return "no process of this store runs here; lost objects are found while it does, "
		       "or when it "
		       "ends, with `stackdepot run --lost`";
	case -EPERM:
		return "the process may not be looked at; root may, or who started it (ptrace(2))";
	case -EBUSY:
		return "a debugger has the process";
	case -ETIMEDOUT:
		return "a thread of the process did not stop within two seconds";
	default:
		return strerror(-error);
	}
}

static int lost_look(const struct profile_store *store, struct profile_process *process)
{
	struct lost lost;
	int error = -ESRCH;

	if (alive_is_running(&process->info) && alive_is_near(&process->info))
		error = lost_find(store->store, &process->info, store->path, NULL, &lost);
	if (error)
		return error;
	lost_found_from(&lost, &process->lost);
	lost_release(&lost);
	return 0;
}

/* Of those that were not asked for by themselves, what has ended is no longer asked about. */
bool profile_find_lost(struct profile *profile)
{
	size_t i, found = 0;

	for (i = 0; i < profile->nr_processes; i++) {
		struct profile_process *process = &profile->processes[i];
		struct profile_store *store = profile_store_of(profile, process);
		int error = lost_look(store, process);

		if (error == -ESRCH && lost_kept(store->path, &process->info, &process->lost))
			error = 0;
		found += !error;
		if (!error || error == -ESRCH)
			continue;
		complain("%s: process %u: %s", store->path, process->info.pid, lost_error(error));
		return false;
	}
	if (!found)
		complain("%s: %s", profile->stores[0].path, lost_error(-ESRCH));
	return found;
}
