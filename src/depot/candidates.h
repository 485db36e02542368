/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * candidates.h - the set of lines that may be evictable, in a tree of bitmaps.
 *
 * Level 0 has a bit a line, each level above a bit for each word of the one below, up to a single
 * word. So the next candidate is found in a handful of steps however many lines are pinned.
 *
 * Invariants:
 *	(A) A line that is free, or live and not pinned, has its bit set, or somebody is about to
 *	    set it who made the line so and has not returned yet.
 *	(B) A word that is not zero has its bit set in the level above, or somebody is about to.
 * Neither holds the other way round: bits of pinned lines are cleared when the search meets them.
 *
 * Ordering: who sets a bit first changes the state, then looks at the bit; who clears one first
 * clears the bit, then looks at the state again. All four are sequentially consistent, so one of
 * the two sees the other; with less, both might miss and a line be lost to the search for ever.
 */
#ifndef DEPOT_CANDIDATES_H
#define DEPOT_CANDIDATES_H

#include "depot.h"

/* depot_candidate_words() - words on each level for so many lines; returns their sum. */
u32 depot_candidate_words(u32 lines, u32 words[DEPOT_LEVELS], u32 *ret_levels);

/* depot_candidate_set() - line became evictable. Writes nothing if its bits are set. */
void depot_candidate_set(struct stackdepot *depot, u32 line);

/*
 * depot_candidate_clear() - line was seen pinned. The caller looks at its state again afterwards.
 */
void depot_candidate_clear(struct stackdepot *depot, u32 line);

/* depot_candidate_next() - the first candidate from `line` on; 0 if there is none up to the end. */
u32 depot_candidate_next(struct stackdepot *depot, u32 line);

#endif
