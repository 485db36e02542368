/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * profile.h - the stacks of a store with their frames: what is exported, drawn, compared.
 *
 * A profile is what the store held at one moment; the process may go on writing meanwhile.
 */
#ifndef PROFILE_H
#define PROFILE_H

#include "cli.h"

struct profile_stack {
	struct stackdepot_stack sums;
	const uint64_t *frames; /* as stored, innermost first; symbols_frame() knows them */
	unsigned int nr;	/* of frames; 0 if they are not known, or were evicted */
};

struct profile {
	struct suppress *suppress; /* what is left out; NULL: nothing */
	struct stackdepot_store *store;
	struct stackdepot_store_info info;
	struct symbols *symbols;
	struct profile_stack *stacks; /* most live bytes first */
	size_t nr;
	uint64_t *frames; /* of all stacks */
};

/* Read the store that FILE|PID names; NULL after a complaint. */
struct profile *profile_open(const char *target);
void profile_close(struct profile *profile);
/* Read it again, the process having gone on; symbols stay. False after a complaint. */
bool profile_refresh(struct profile *profile);
/*
 * Read it again without what these cover: live figures of stacks, and errors. SUPPRESS has to last
 * as long. False after a complaint.
 */
bool profile_suppress(struct profile *profile, struct suppress *suppress);
/* As stackdepot_store_next_error(), without those that are suppressed. */
int profile_next_error(struct profile *profile, uint64_t *position,
		       struct stackdepot_error *ret_error);

/*
 * Hash of the functions of a stack, inlined ones included: equal for the same way through a
 * program in another process and another build of it. Frames without symbols count by module and
 * offset. 0 for a stack without frames.
 */
uint64_t profile_key(struct profile *profile, const uint64_t *frames, unsigned int nr);

#endif
