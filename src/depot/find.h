/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * find.h - where a trace is found.
 *
 * Purpose. Given frames, find the line that is their trace, comparing every frame, taking no lock and
 * writing nothing.
 *
 * How. The hash names a chain. Each line on it that may be the innermost run of the trace is compared
 * with it, then its parent with the frames outside of that, up to the root. What was found is a
 * *life* of a line, to be confirmed by hold_valid() or depot_pin() after the last read.
 *
 * Why that is enough. A line's frames and parent do not change during a life, and a parent lives as
 * long as its children (evict.c). So if the innermost line lived the same life before the first and
 * after the last read, everything read on the way up was one trace at that time. The partner of the
 * fence in hold_valid() is the one in depot_fill(): a reader who saw a recycled line's new contents
 * also sees that the life it began with is over.
 *
 * Chains. A line may be unlinked while a reader is about to step on it, and be filled anew. It then
 * looks like a stored trace before it is one: only its linking says whether it becomes one, or gives
 * way to the same trace of somebody else. So a reader believes a line only if it was on the chain
 * (chain_reached()); else he begins again.
 *
 * Progress: lock-free; a restart means that another thread changed a chain.
 */
#ifndef DEPOT_FIND_H
#define DEPOT_FIND_H

#include "chain.h"
#include "hash.h"
#include "hold.h"
#include "run.h"

/* A trace to look for. */
struct find_trace {
	const uintptr_t *frames;
	const uintptr_t *window; /* the innermost 8 frames, or all of them padded with zeros */
	const uintptr_t *mask;	 /* of the innermost run in the window */
	u32 nr;
	u32 run; /* frames in the innermost group */
};

struct found {
	u64 ref; /* 0: not found */
	u64 state;
};

port_inline struct find_trace find_trace(const uintptr_t *frames, u32 nr, uintptr_t *pad)
{
	struct find_trace trace = {.frames = frames, .window = frames, .nr = nr};

	trace.run = nr - hash_outer(nr);
	trace.mask = run_mask(trace.run);
	if (port_unlikely(nr < DEPOT_GROUP))
		trace.window = hash_pad(frames, nr, pad);
	return trace;
}

/*
 * Is the chain of lines from `number` to the root equal to frames[0 .. nr), given that below it all
 * is? Any kind of line.
 */
bool depot_equal_slow(struct stackdepot *depot, u32 number, const uintptr_t *frames, u32 nr);

/*
 * Are the lines from `number` up to `stop` the frames that end at `end`? The usual case, whole
 * narrow lines, is done here.
 */
port_inline bool find_equal_outer(struct stackdepot *depot, u32 number, const uintptr_t *frames,
				  const uintptr_t *end, u32 stop)
{
	const u64 kind = STATE_WIDE | (u64)(DEPOT_GROUP - 1) << STATE_COUNT_SHIFT;
	const u64 whole = (u64)(DEPOT_GROUP - 1) << STATE_COUNT_SHIFT;

	for (; frames != end; frames += DEPOT_GROUP) {
		struct depot_line *line;
		u64 state;

		if (port_unlikely(number - 1 >= depot->nr_lines))
			return false;
		line = port_line(depot, number);
		state = port_load_relaxed(&line->state);
		if (port_unlikely((state & kind) != whole))
			return !stop && depot_equal_slow(depot, number, frames, (u32)(end - frames));
		if (!run_equal(line, frames, NULL))
			return false;
		number = state_parent(state);
	}
	return number == stop;
}

/* Is the trace in the line of that state? Compared down to `outer` frames, below line `stop`. */
port_inline bool find_equal(struct stackdepot *depot, struct depot_line *line, u64 state,
			    const struct find_trace *trace, u32 outer, u32 stop)
{
	const u64 kind = STATE_LIVE | STATE_WIDE | (u64)(DEPOT_GROUP - 1) << STATE_COUNT_SHIFT;
	const u64 narrow = STATE_LIVE | (u64)(trace->run - 1) << STATE_COUNT_SHIFT;

	if (port_likely((state & kind) == narrow))
		return run_equal(line, trace->window, trace->mask) &&
		       find_equal_outer(depot, state_parent(state), trace->frames + trace->run,
					trace->frames + trace->nr - outer, stop);
	if (!(state & STATE_LIVE) || stop)
		return false;
	return state_count(state) <= trace->run && run_equal_slow(line, state, trace->frames) &&
	       depot_equal_slow(depot, state_parent(state), trace->frames + state_count(state),
				trace->nr - state_count(state));
}

/*
 * find() - the line of a trace whose hash is `hash`.
 * @outer: so many outermost frames need not be compared,
 * @stop:  if the line outside of the others is this one; 0 and 0 to compare all.
 */
port_inline struct found find(struct stackdepot *depot, const struct find_trace *trace, u64 hash,
			      u32 outer, u32 stop)
{
	const u32 bucket = hash_bucket(depot, hash);
	u64 *word = &depot->heads[bucket];
	u64 next = port_load_acquire(word);

	while (link_is_line(next)) {
		struct depot_line *line = port_line(depot, next & LINK_VALUE);
		u64 link = port_load_acquire(&line->link);
		u64 state = port_load_relaxed(&line->state);

		if (port_unlikely(!chain_reached(word, next, link))) {
			depot_chain_unlink(depot, bucket);
			word = &depot->heads[bucket];
			next = port_load_acquire(word);
			continue;
		}
		if (find_equal(depot, line, state, trace, outer, stop))
			return (struct found){depot_ref(next & LINK_VALUE, link), state};
		word = &line->link;
		next = link;
	}
	return (struct found){0, 0};
}

/* depot_find() - find() out of line, for a prefix on the way to an insertion. */
struct found depot_find(struct stackdepot *depot, const uintptr_t *frames, u32 nr, u64 hash);

#endif
