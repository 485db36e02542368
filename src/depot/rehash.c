// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * rehash.c - the hash of a line, from its frames.
 *
 * A line does not say which chains it may be on; that follows from its frames and those of its
 * parents. The way up is noted and the frames are hashed on the way down, as stacks in kernels have
 * no room for a whole trace.
 */
#include "hash.h"
#include "rehash.h"
#include "run.h"

#define REHASH_DEPTH (2 * DEPOT_MAX_GROUPS) /* lines of the longest trace, all wide */

/* Put the frames of a line in front of the innermost ones known so far. */
static void rehash_window(struct depot_line *line, u64 state, uintptr_t *window)
{
	u32 i, count = state_count(state);

	for (i = DEPOT_GROUP; i-- > count;)
		window[i] = window[i - count];
	for (i = 0; i < count; i++)
		window[i] = run_frame(line, state, i);
}

u64 depot_rehash(struct stackdepot *depot, u32 number, u64 state)
{
	u32 path[REHASH_DEPTH] __uninitialized, depth = 0, nr = 0;
	uintptr_t window[DEPOT_GROUP] __uninitialized;
	const u64 leaf_state = state;
	u64 hash = 0;
	u32 i;

	for (i = 0; i < DEPOT_GROUP; i++)
		window[i] = DEPOT_FRAME_BASE; /* as hash_pad() does */
	do {
		path[depth++] = number;
		number = state_parent(state);
		/* Damaged files are checked, too. */
		if (number > depot->nr_lines)
			break;
		if (number)
			state = atomic64_read(&depot_line(depot, number)->state);
	} while (number && depth < REHASH_DEPTH);

	while (depth--) {
		struct depot_line *line = depot_line(depot, path[depth]);

		/* The leaf's state was taken away when it was claimed. */
		state = depth ? atomic64_read(&line->state) : leaf_state;
		rehash_window(line, state, window);
		nr += state_count(state);
		if (depth && nr % DEPOT_GROUP == 0)
			hash = hash_advance(hash ^ hash_window(depot->keys, window));
	}
	return hash_finish(depot->keys, hash ^ hash_window(depot->keys, window), nr);
}
