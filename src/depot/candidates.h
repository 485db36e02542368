/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * candidates.h - the set of lines that may be evictable, in a tree of bitmaps.
 *
 * Level 0 has a bit a line, each level above a bit for each word of the one below, up to a single
 * word. So the next candidate is found in a handful of steps however many lines are pinned.
 *
 * A line enters the set before it is first used, together with those that share its word, and
 * stays in it while it is free, in hands, or live and not pinned. A search that meets a pinned line
 * dismisses it, so that it is not met again. Whoever gives the last reference back puts the line
 * into the set first.
 *
 *	dismiss a pinned line			give the last reference to it back
 *
 *	1. publish its number			1. state: dismissed -> not, still referenced
 *	2. state: -> dismissed			2. set its bits
 *	3. clear its bit			3. state: one reference less; if it was
 *	4. if it is no longer dismissed,	   dismissed again meanwhile, begin anew
 *	   set its bits again
 *	5. the number is no longer published
 *
 * Invariants:
 *	(A) A line that is free, or live and not pinned, has its bit set, or is published.
 *	(B) A word that is not zero has its bit set in the level above, or it is published, or the
 *	    line whose bit was set in it is pinned, or in hands, by whoever set it.
 * So a search that first looks at what is published, then at all bits, then at the lines published,
 * has met every line that could be taken from its beginning to its end (evict.c). Neither invariant
 * holds the other way round.
 *
 * Why (A) holds. Step 3 on the right succeeds only if the state is what it was after step 1 there:
 * then either nobody dismissed the line since, and its bit was set by step 2 or earlier, or
 * somebody did and a third party undid it, who holds a reference until his own step 2 is done. A
 * bit that is cleared late, by somebody who dismissed the line earlier, is cleared while the number
 * is published, and set again in step 4. (B) is kept in the same way by whoever clears a bit above
 * the lowest level: he looks at the word below both after publishing and after clearing. What is
 * published later than a line could be taken does not concern that line: only pinned lines are
 * dismissed, and only empty words summed up.
 *
 * Ordering. Who sets a bit first changes the state, or the bit below, then looks at the bit; who
 * clears one first clears the bit, then looks at the state, or the word below, again. Between the
 * two steps each has a full barrier, so one of the two sees the other; with less, both might miss,
 * and a line be lost to the search for ever.
 */
#ifndef DEPOT_CANDIDATES_H
#define DEPOT_CANDIDATES_H

#include "depot.h"

#define CANDIDATE_BITS ((u32)BITS_PER_LONG) /* in a word */
#define CANDIDATE_BITS_SHIFT (BITS_PER_LONG == 64 ? 6 : 5)

/*
 * What is published, in words of header->dismissals: level:4 | index:28. The index is the number of
 * a line at level 0, above it that of the word on the level below that is summed up by the bit. 0:
 * nothing.
 */
#define CANDIDATE_LEVEL_SHIFT 28
#define CANDIDATE_INDEX ((1u << CANDIDATE_LEVEL_SHIFT) - 1)

struct candidate_view {
	u32 words[DEPOT_DISMISSALS];
};

/* depot_candidate_words() - words on each level for so many lines, and how many levels. */
u32 depot_candidate_words(u32 lines, u32 words[DEPOT_LEVELS]);

/* candidate_word() - where a word of a level is. The lowest may lie with the lines: the host. */
static inline unsigned long *candidate_word(const struct stackdepot *depot, u32 level, u32 word)
{
	return level ? &depot->candidates[level][word] : depot_candidate_word(depot, word);
}

static inline bool candidate_test(const struct stackdepot *depot, u32 level, u32 bit)
{
	return test_bit(bit % CANDIDATE_BITS, candidate_word(depot, level, bit / CANDIDATE_BITS));
}

/* depot_candidate_set() - put a line into the set. Writes nothing if it is there. */
void depot_candidate_set(struct stackdepot *depot, u32 line);

/* candidate_begins() - is a line the first to be used of those whose bits share its word? */
static inline bool candidate_begins(u32 line)
{
	return line == 1 || line % CANDIDATE_BITS == 0;
}

/*
 * depot_candidate_begin() - put the lines of a word into the set, from `line`, its first, on.
 *
 * None of them was ever used, and none is before this has returned to one caller.
 */
void depot_candidate_begin(struct stackdepot *depot, u32 line);

/*
 * depot_candidate_dismiss() - take a line out of the set if it is pinned.
 *
 * Return: false, and nothing done, if it is not, was dismissed already, or too many others are
 * dismissing lines at this moment.
 */
bool depot_candidate_dismiss(struct stackdepot *depot, u32 line);

/* depot_candidate_next() - the first candidate from `line` on; 0 if there is none up to the end. */
u32 depot_candidate_next(struct stackdepot *depot, u32 line);

/* depot_candidate_view() - what is published now. */
void depot_candidate_view(struct stackdepot *depot, struct candidate_view *ret_view);

/*
 * candidate_published() - lines that may be invisible to depot_candidate_next() while `what` is
 * published: *ret_first to before *ret_end. If it is more than one, those from *ret_first on are
 * visible to a search that begins there. Returns false if there are none, or if that was not
 * published here.
 */
static inline bool candidate_published(u32 what, u32 *ret_first, u64 *ret_end)
{
	const u32 level = what >> CANDIDATE_LEVEL_SHIFT;
	const u32 shift = (level < DEPOT_LEVELS ? level : 0) * CANDIDATE_BITS_SHIFT;
	const u64 index = what & CANDIDATE_INDEX;

	*ret_first = (u32)(index << shift);
	*ret_end = (index + 1) << shift;
	return what && level < DEPOT_LEVELS;
}

/* depot_candidate_reset() - nobody else uses the depot: what is published is of threads gone. */
void depot_candidate_reset(struct stackdepot *depot);

#endif
