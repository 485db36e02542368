/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * find.h - where a trace is found.
 *
 * Purpose. Given frames, find the line that is their trace, comparing every frame, taking no lock
 * and writing nothing.
 *
 * How. The hash names a chain, or a few (index.h). Each line on one that may be the innermost run
 * of the trace is compared with it, then its parent with the frames outside of that, up to the
 * root. What was found is a *life* of a line, to be confirmed by hold_valid() or depot_pin() after
 * the last read.
 *
 * Why that is enough. A line's frames and parent do not change during a life, and a parent lives as
 * long as its children (evict.c). So if the innermost line lived the same life before the first and
 * after the last read, everything read on the way up was one trace at that time. The partner of the
 * fence in hold_valid() is the one in insert_fill(): a reader who saw a recycled line's new
 * contents also sees that the life it began with is over.
 *
 * Chains. A line may be unlinked, filled anew and not yet linked while a reader stands before it.
 * Such a line looks alive, but may be given up again. So each step along a chain is confirmed: the
 * word that led to a line still leads there after the line's link was read (chain.c says why that
 * suffices). A reader who meets a dead line, or a change, leaves the rest to the inserting side.
 *
 * Progress: wait-free, but for a save that begins anew because its trace died meanwhile.
 */
#ifndef DEPOT_FIND_H
#define DEPOT_FIND_H

#include "chain.h"
#include "hash.h"
#include "hold.h"
#include "index.h"
#include "run.h"

struct depot_found {
	u64 ref; /* 0: not found */
	u64 state;
	u64 link;
	const struct depot_line *line;
};

/*
 * Is nothing at all changed in the line's link? Sufficient for what hold_valid() asks, and shorter.
 */
static __always_inline bool found_unchanged(const struct depot_found *found)
{
	smp_rmb(); /* pairs with the barrier in insert_fill() */
	return atomic64_read(&found->line->link) == found->link;
}

#define FIND_KIND (STATE_LIVE | STATE_WIDE | STATE_COUNT)
#define FIND_WHOLE (STATE_LIVE | (u64)(DEPOT_GROUP - 1) << STATE_COUNT_SHIFT)

/* Are the lines from `number` to the root frames[0 .. nr)? Any kind of line. */
bool depot_equal_slow(struct stackdepot *depot, u32 number, const uintptr_t *frames, u32 nr);

/* A trace to look for. */
struct find_trace {
	const uintptr_t *frames;
	const uintptr_t *window; /* the innermost 8, as hash_pad() has them */
	u32 nr;
	u32 outer;  /* so many outermost frames need not be compared, */
	u32 stop;   /* if the line outside of the others is this one; 0 and 0 to compare all */
	bool quick; /* whole narrow lines are enough: then find_line() calls nothing */
};

/*
 * Are the lines from `number` on the frames of the trace from `frames` on? The usual case, whole
 * narrow lines, is done here. Line 0 is never live.
 */
static __always_inline bool find_equal_outer(struct stackdepot *depot, u32 number,
					     const uintptr_t *frames,
					     const struct find_trace *trace)
{
	const uintptr_t *end = trace->frames + trace->nr - trace->outer;

	for (; frames != end; frames += DEPOT_GROUP) {
		struct depot_line *line = depot_line(depot, number);
		u64 state = atomic64_read(&line->state);

		if (unlikely((state & FIND_KIND) != FIND_WHOLE))
			return !trace->quick && !trace->stop &&
			       depot_equal_slow(depot, number, frames, (u32)(end - frames));
		if (unlikely(!run_equal(line, frames)))
			return false;
		number = state_parent(state);
	}
	return number == trace->stop;
}

/*
 * Is the trace in `line`, though not as a run that equals the window: a wide one, a half of a group
 * that was split, or one with a wide frame outside of it.
 */
bool depot_equal_odd(struct stackdepot *depot, struct depot_line *line, u64 state,
		     const uintptr_t *frames, u32 nr);

static __always_inline bool find_equal(struct stackdepot *depot, struct depot_line *line, u64 state,
				       const struct find_trace *trace)
{
	const u32 run = (trace->nr - 1) % DEPOT_GROUP + 1;
	const u64 kind = STATE_LIVE | (u64)(run - 1) << STATE_COUNT_SHIFT;

	if (likely((state & FIND_KIND) == kind && run_equal(line, trace->window)))
		return find_equal_outer(depot, state_parent(state), trace->frames + run, trace);
	/* The first frame decides nearly always when it is another trace. */
	if (trace->quick || likely(!run_begins(line, trace->window[0])))
		return false;
	return !trace->stop && depot_equal_odd(depot, line, state, trace->frames, trace->nr);
}

/* Where chains have several lines, is it another trace's by its first frame alone? */
static __always_inline bool find_passes(struct depot_line *line, const struct find_trace *trace)
{
	return DEPOT_INDEX_GROWS && !run_begins(line, trace->window[0]);
}

/* Not where a trace has one chain: that is short, and may as well be searched again. */
static __always_inline void find_place(struct chain_place *ret_place, u64 value, u32 digits)
{
	if (DEPOT_INDEX_GROWS)
		*ret_place = (struct chain_place){value, digits};
}

/* What find_line() noted there; NULL if it did not. */
static __always_inline struct chain_place *find_noted(struct chain_place *place)
{
	return DEPOT_INDEX_GROWS ? place : NULL;
}

/*
 * find_line() - the line of a trace whose hash is `hash`.
 * @ret_place: where it belongs if it is not there, in an index that grows. Of no use if a part of
 *             the trace was not compared.
 *
 * That it was not found is no proof that it is not there: depot_chain_find() gives one, or that
 * depot_chain_insert() links a line at *ret_place. Nor is a chain gone along for ever, should
 * somebody have made a circle of it.
 */
static __always_inline struct depot_found find_line(struct stackdepot *depot,
						    const struct find_trace *trace, u64 hash,
						    struct chain_place *ret_place)
{
	u32 digits = index_digits(depot, hash), left = depot->nr_lines;
	atomic64_t *word = index_head(depot, hash, digits);
	u64 next = atomic64_read_acquire(word);

	while (!next && digits) {
		digits = index_outer(digits);
		word = index_head(depot, hash, digits);
		next = atomic64_read_acquire(word);
	}
	find_place(ret_place, next, digits);
	for (;;) {
		for (; link_is_line(next) && left; left--) {
			const u32 number = next & LINK_NEXT;
			struct depot_line *line = depot_line(depot, number);
			u64 link = atomic64_read_acquire(&line->link), state;

			if (unlikely(link & LINK_DEAD || atomic64_read(word) != next)) {
				find_place(ret_place, 0, CHAIN_NOWHERE);
				return (struct depot_found){0};
			}
			word = &line->link;
			next = link;
			if (!find_passes(line, trace)) {
				state = atomic64_read_acquire(&line->state);
				if (find_equal(depot, line, state, trace))
					return (struct depot_found){depot_ref(number, link), state,
								    link, line};
			}
		}
		if (!digits)
			break;
		digits = index_outer(digits);
		word = index_head(depot, hash, digits);
		next = atomic64_read_acquire(word);
	}
	if (unlikely(!left))
		find_place(ret_place, 0, CHAIN_NOWHERE);
	return (struct depot_found){0};
}

#endif
