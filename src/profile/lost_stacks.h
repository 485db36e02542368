/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* lost_stacks.h - lost objects of a process, by the stack that allocated them. */
#ifndef PROFILE_LOST_STACKS_H
#define PROFILE_LOST_STACKS_H

#include "lost/lost.h"

/* Objects that nothing but lost ones leads to, by trace; `lost_` of those, lost by themselves. */
struct lost_stack {
	stackdepot_ref_t trace;
	double objects;
	double bytes;
	double lost_objects;
	double lost_bytes;
	double objects_variance; /* of the first two, where they are estimates */
	double bytes_variance;
};

/* What a look at a process found; as struct lost has it. */
struct lost_found {
	struct lost_stack *stacks;
	size_t nr;
	uint64_t looked_at; /* live objects; 0 with `stacks` NULL: nobody looked */
	uint64_t stopped_ns;
	uint64_t copied_bytes;
	unsigned int threads;
	bool heap_is_roots;
	bool at_exit; /* it had come to its end */
};

void lost_found_from(const struct lost *lost, struct lost_found *ret_found);
void lost_found_free(struct lost_found *found);

struct profile;

/*
 * Look at each process of the profile that runs; of one that has ended, what was kept. False after
 * a complaint: there is nothing of any, or one may not be looked at.
 */
bool profile_find_lost(struct profile *profile);

/* --- lost_kept.c: what was found at the end of a process, in STORE.lost.N -------------------- */

bool lost_keep(const char *path, const struct stackdepot_store_info *process,
	       const struct lost_found *found);
bool lost_kept(const char *path, const struct stackdepot_store_info *process,
	       struct lost_found *ret_found);
void lost_forget(const char *path);

/* Why a process could not be looked at: lost_find()'s error. */
const char *lost_error(int error);

#endif
