/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * snapshot.h - the sums of all stacks at one moment, to be compared with those of another.
 *
 * What is the same stack is a matter of what is compared: within one run the places it goes through
 * are; between two runs, or two builds of a program, the functions are.
 */
#ifndef PROFILE_SNAPSHOT_H
#define PROFILE_SNAPSHOT_H

#include "profile.h"

enum snapshot_by {
	SNAPSHOT_BY_PLACES,
	SNAPSHOT_BY_KEY, /* stacks of equal profile_key() become one */
};

struct snapshot_stack {
	uint64_t id;
	struct profile_sums sums;
	const struct profile_stack *stack; /* one of them, until the profile is read again */
};

struct snapshot {
	struct snapshot_stack *stacks; /* sorted by id */
	size_t nr;
	struct profile_sums total;
	uint64_t time_ns; /* CLOCK_MONOTONIC; 0: not known */
};

void snapshot_take(const struct profile *profile, enum snapshot_by by,
		   struct snapshot *ret_snapshot);
void snapshot_free(struct snapshot *snapshot);
/* NULL if it is not there. */
const struct snapshot_stack *snapshot_find(const struct snapshot *snapshot, uint64_t id);

#endif
