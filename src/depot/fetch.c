// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * fetch.c - from handles back to traces.
 *
 * Nothing read here is believed before hold_valid() (find.h says why), and in an attached file not
 * even then: a number that is no line's leads to line 0, which is not live, and a walk ends after
 * STACKDEPOT_MAX_FRAMES whatever the lines say.
 */
#include "fetch.h"
#include "find.h"

#define FETCH_OUTER 7u /* lines: with the innermost one 64 frames */

/* A line in the life that somebody named. */
struct fetch_life {
	struct depot_line *line;
	u64 link;
	u64 state;
};

/* The life that a line has now; the caller compares it with what was meant. */
static __always_inline int fetch_life(struct stackdepot *depot, u32 number,
				      struct fetch_life *ret_life)
{
	struct depot_line *line;

	if (number - 1 >= depot->nr_lines)
		return -EINVAL;
	if (!depot_has_line(depot, number))
		return -ESTALE;
	line = depot_line(depot, number);
	ret_life->line = line;
	ret_life->link = atomic64_read_acquire(&line->link);
	ret_life->state = atomic64_read_acquire(&line->state);
	if (ret_life->link & LINK_DEAD || !(ret_life->state & STATE_LIVE))
		return -ESTALE;
	return 0;
}

/* *ret_ref is the life's reference, whose handle is the one asked for. */
static __always_inline int fetch_handle(struct stackdepot *depot, u32 handle,
					struct fetch_life *ret_life, u64 *ret_ref)
{
	const u32 bits = handle & ((1u << (32 - STACKDEPOT_EXTRA_BITS)) - 1);
	const u32 number = bits & ((1u << depot->line_bits) - 1);
	int error = fetch_life(depot, number, ret_life);

	if (error)
		return error;
	*ret_ref = depot_ref(number, ret_life->link);
	return depot_handle(depot, *ret_ref) == bits ? 0 : -ESTALE;
}

static __always_inline int fetch_ref(struct stackdepot *depot, u64 ref, struct fetch_life *ret_life)
{
	int error = fetch_life(depot, (u32)ref, ret_life);

	if (error)
		return error;
	return link_generation(ret_life->link) == ref >> 32 ? 0 : -ESTALE;
}

int depot_life(struct stackdepot *depot, u64 ref, u64 *ret_life)
{
	struct fetch_life life;
	int error = fetch_ref(depot, ref, &life);

	if (!error)
		*ret_life = depot_ref((u32)ref, life.link);
	return error;
}

/* The number of frames there are, or -EBADMSG. */
static int fetch_count(struct stackdepot *depot, u64 state)
{
	u32 nr = 0, parent;

	for (;;) {
		if (!(state & STATE_LIVE))
			return -EBADMSG;
		if (state & STATE_WIDE && state_count(state) > DEPOT_WIDE)
			return -EBADMSG;
		nr += state_count(state);
		if (nr > STACKDEPOT_MAX_FRAMES)
			return -EBADMSG;
		parent = state_parent(state);
		if (!parent)
			return (int)nr;
		state = atomic64_read(&depot_line(depot, parent)->state);
	}
}

/* Copy up to `left` frames of a line that was counted; how many. */
static __always_inline u32 fetch_line(struct depot_line *line, u64 state, uintptr_t *frames,
				      u32 left)
{
	u32 i, count = state_count(state);

	if (likely((state & FIND_KIND) == FIND_WHOLE && left >= DEPOT_GROUP)) {
		run_load(line, frames);
		return DEPOT_GROUP;
	}
	if (count > left)
		count = left;
	for (i = 0; i < count; i++)
		frames[i] = run_frame(line, state, i);
	return count;
}

/* Copy `nr` frames, which the lines had as they were counted; they may be others' by now. */
static void fetch_copy(struct stackdepot *depot, struct depot_line *line, u64 state,
		       uintptr_t *frames, u32 nr)
{
	while (nr) {
		const u32 taken = fetch_line(line, state, frames, nr);

		frames += taken;
		nr -= taken;
		line = depot_line(depot, state_parent(state));
		state = atomic64_read(&line->state);
	}
}

/* Any trace: as much of it as there is room for. */
static noinline int fetch_slow(struct stackdepot *depot, struct depot_line *line, u64 state,
			       uintptr_t *frames, u32 size)
{
	int nr = fetch_count(depot, state);

	if (nr > 0)
		fetch_copy(depot, line, state, frames, (u32)nr <= size ? (u32)nr : size);
	return nr;
}

/* Any trace that there is room for, or 0. */
static noinline u32 fetch_whole_slow(struct stackdepot *depot, struct depot_line *line, u64 state,
				     uintptr_t *frames, u32 size)
{
	int nr = fetch_count(depot, state);

	if (nr < 0 || (u32)nr > size)
		return 0;
	fetch_copy(depot, line, state, frames, (u32)nr);
	return (u32)nr;
}

/*
 * The usual trace, which fits: some frames in a narrow line, the others in whole ones. 0: it is
 * another.
 */
static __always_inline u32 fetch_quick(struct stackdepot *depot, struct depot_line *line, u64 state,
				       uintptr_t *frames, u32 size)
{
	struct depot_line *outer[FETCH_OUTER] __uninitialized;
	const u64 innermost = state;
	const u32 run = state_count(state);
	u32 nr = run, lines = 0, parent, i;

	if (unlikely(state & STATE_WIDE))
		return 0;
	for (; (parent = state_parent(state)); nr += DEPOT_GROUP) {
		if (unlikely(lines == FETCH_OUTER))
			return 0;
		outer[lines] = depot_line(depot, parent);
		state = atomic64_read(&outer[lines++]->state);
		if (unlikely((state & FIND_KIND) != FIND_WHOLE))
			return 0;
	}
	if (unlikely(nr > size))
		return 0;
	frames += fetch_line(line, innermost, frames, run);
	for (i = 0; i < lines; i++, frames += DEPOT_GROUP)
		run_load(outer[i], frames);
	return nr;
}

static __always_inline int fetch_trace(struct stackdepot *depot, const struct fetch_life *life,
				       uintptr_t *frames, u32 size)
{
	int nr = (int)fetch_quick(depot, life->line, life->state, frames, size);

	if (unlikely(!nr))
		nr = fetch_slow(depot, life->line, life->state, frames, size);
	return hold_lives(life->line, life->link) ? nr : -ESTALE;
}

int depot_fetch(struct stackdepot *depot, u32 handle, uintptr_t *frames, unsigned int size)
{
	struct fetch_life life;
	u64 ref;
	int error = fetch_handle(depot, handle, &life, &ref);

	return error ? error : fetch_trace(depot, &life, frames, size);
}

unsigned int depot_fetch_whole(struct stackdepot *depot, u32 handle, uintptr_t *frames,
			       unsigned int size)
{
	struct fetch_life life;
	u64 ref;
	u32 nr;

	if (fetch_handle(depot, handle, &life, &ref))
		return 0;
	nr = fetch_quick(depot, life.line, life.state, frames, size);
	if (unlikely(!nr))
		nr = fetch_whole_slow(depot, life.line, life.state, frames, size);
	return hold_lives(life.line, life.link) ? nr : 0;
}

int depot_fetch_ref(struct stackdepot *depot, u64 ref, uintptr_t *frames, unsigned int size)
{
	struct fetch_life life;
	int error = fetch_ref(depot, ref, &life);

	return error ? error : fetch_trace(depot, &life, frames, size);
}

u64 depot_trace_ref(struct stackdepot *depot, u32 handle)
{
	struct fetch_life life;
	u64 ref;

	return fetch_handle(depot, handle, &life, &ref) ? 0 : ref;
}

u32 depot_trace_handle(struct stackdepot *depot, u64 ref)
{
	return (u32)ref - 1 < depot->nr_lines ? depot_handle(depot, ref) : 0;
}

static int fetch_pin(struct stackdepot *depot, int error, u64 ref)
{
	if (depot->read_only)
		return -EROFS;
	if (error)
		return error;
	return depot_pin(depot, ref, STATE_VISITED) ? 0 : -ESTALE;
}

int depot_get(struct stackdepot *depot, u32 handle)
{
	struct fetch_life life;
	u64 ref = 0;
	int error = fetch_handle(depot, handle, &life, &ref);

	return fetch_pin(depot, error, ref);
}

int depot_get_ref(struct stackdepot *depot, u64 ref)
{
	u64 life = 0;
	int error = depot_life(depot, ref, &life);

	return fetch_pin(depot, error, life);
}

int depot_put(struct stackdepot *depot, u32 handle)
{
	struct fetch_life life;
	u64 ref;
	int error;

	if (depot->read_only)
		return -EROFS;
	error = fetch_handle(depot, handle, &life, &ref);
	return error ? error : depot_unpin(depot, (u32)ref);
}

int depot_info(struct stackdepot *depot, u64 ref, struct stackdepot_trace_info *ret_info)
{
	struct stackdepot_trace_info info;
	struct fetch_life life;
	int nr = fetch_ref(depot, ref, &life);

	if (nr)
		return nr;
	nr = fetch_trace(depot, &life, NULL, 0);
	if (nr < 0)
		return nr;
	info.references = state_references(life.state);
	info.frames = (u32)nr;
	info.kept = life.state & STATE_KEPT;
	/* Read by acquire: the clock, read afterwards, shows no less than the stamp. */
	info.leased = depot->lease_ticks &&
		      state_age(life.state, depot_stamp(depot)) <= depot->lease_ticks;
	*ret_info = info;
	return 0;
}

u64 depot_next(struct stackdepot *depot, u32 *position)
{
	/* Could be weaker: what it leads to is validated by generation. */
	u32 used = smp_load_acquire(&depot->header->fresh);

	if (used > depot->nr_lines)
		used = depot->nr_lines;
	while (*position < used) {
		u32 number = ++*position;
		struct depot_line *line = depot_line(depot, number);
		u64 link = atomic64_read_acquire(&line->link);
		u64 state = atomic64_read_acquire(&line->state);

		if (link & LINK_DEAD || !(state & STATE_LIVE) || !(state & STATE_TRACE))
			continue;
		if (hold_valid(depot, depot_ref(number, link)))
			return depot_ref(number, link);
	}
	return 0;
}
