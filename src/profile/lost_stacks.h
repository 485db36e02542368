/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* lost_stacks.h - lost objects of a profile's processes, by the stack that allocated them. */
#ifndef PROFILE_LOST_STACKS_H
#define PROFILE_LOST_STACKS_H

#include "profile.h"

/* Objects that nothing but lost ones leads to, by trace; `lost_` of those, lost by themselves. */
struct lost_stack {
	stackdepot_ref_t trace;
	double objects;
	double bytes;
	double lost_objects;
	double lost_bytes;
};

/* The number of *RET_STACKS, which are to be freed. */
size_t lost_stacks(const struct lost *lost, struct lost_stack **ret_stacks);
/* Look at each process of the profile. False after a complaint: one does not run, or may not be
 * looked at. */
bool profile_find_lost(struct profile *profile);

#endif
