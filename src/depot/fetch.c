// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * fetch.c - from handles back to traces.
 *
 * Nothing read here is believed before hold_valid() (find.h says why), and in an attached file not
 * even then: numbers are checked against the depot before they are followed, and a walk ends after
 * STACKDEPOT_MAX_FRAMES whatever the lines say.
 */
#include "fetch.h"
#include "find.h"

#define FETCH_PATH 4u

/* A line in the life that somebody named. */
struct fetch_life {
	struct depot_line *line;
	u64 ref;
};

/* Of the lines of a trace, from the innermost outwards, the first FETCH_PATH ones. */
struct fetch_step {
	struct depot_line *line;
	u64 state;
};

/* The life that a number and some low bits of its generation name. */
static __always_inline int fetch_life(struct stackdepot *depot, u32 number, u32 generation,
				      u32 mask, struct fetch_life *ret_life)
{
	struct depot_line *line;
	u64 link;

	if (number - 1 >= depot->nr_lines)
		return -EINVAL;
	if (number > READ_ONCE(depot->header->fresh))
		return -ESTALE;
	line = depot_line(depot, number);
	link = atomic64_read_acquire(&line->link);
	if (link & LINK_DEAD || (link_generation(link) ^ generation) & mask ||
	    !(atomic64_read_acquire(&line->state) & STATE_LIVE))
		return -ESTALE;
	ret_life->line = line;
	ret_life->ref = depot_ref(number, link);
	return 0;
}

static __always_inline int fetch_handle(struct stackdepot *depot, u32 handle,
					struct fetch_life *ret_life)
{
	const u32 bits = handle & ((1u << (32 - STACKDEPOT_EXTRA_BITS)) - 1);
	const u32 mask = (1u << (32 - STACKDEPOT_EXTRA_BITS - depot->line_bits)) - 1;

	return fetch_life(depot, bits & ((1u << depot->line_bits) - 1), bits >> depot->line_bits,
			  mask, ret_life);
}

static __always_inline int fetch_ref(struct stackdepot *depot, u64 ref, struct fetch_life *ret_life)
{
	return fetch_life(depot, (u32)ref, (u32)(ref >> 32), ~0u, ret_life);
}

int depot_life(struct stackdepot *depot, u64 ref, u64 *ret_life)
{
	struct fetch_life life;
	int error = fetch_ref(depot, ref, &life);

	if (!error)
		*ret_life = life.ref;
	return error;
}

/*
 * From the innermost line upwards; the number of frames there are, -ESTALE if that line is about to
 * die, or -EBADMSG.
 */
static __always_inline int fetch_walk(struct stackdepot *depot, struct depot_line *line,
				      struct fetch_step *path)
{
	const struct fetch_step *end = path + FETCH_PATH;
	u32 nr = 0, parent;

	for (;; line = depot_line(depot, parent)) {
		const u64 state = atomic64_read(&line->state);

		if (unlikely(!(state & STATE_LIVE)))
			return nr ? -EBADMSG : -ESTALE;
		if (unlikely(state & STATE_WIDE && state_count(state) > DEPOT_WIDE))
			return -EBADMSG;
		if (path != end)
			*path++ = (struct fetch_step){line, state};
		nr += state_count(state);
		if (unlikely(nr > STACKDEPOT_MAX_FRAMES))
			return -EBADMSG;
		parent = state_parent(state);
		if (!parent)
			return (int)nr;
		if (unlikely(parent > depot->nr_lines))
			return -EBADMSG;
	}
}

/* Copy up to `left` frames of a line that was walked; how many. */
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

/* Copy `nr` frames, which the lines had as they were walked; they may be others' by now. */
static __always_inline void fetch_copy(struct stackdepot *depot, const struct fetch_step *path,
				       uintptr_t *frames, u32 nr)
{
	const struct fetch_step *end = path + FETCH_PATH;
	u32 number, taken;
	u64 state = 0;

	for (; path != end && nr; path++) {
		state = path->state;
		taken = fetch_line(path->line, state, frames, nr);
		frames += taken;
		nr -= taken;
	}
	for (; nr; nr -= taken, frames += taken) {
		number = state_parent(state);
		if (number - 1 >= depot->nr_lines)
			return;
		state = atomic64_read(&depot_line(depot, number)->state);
		taken = fetch_line(depot_line(depot, number), state, frames, nr);
	}
}

/* With `whole`, an array that is too short is not written to. */
static __always_inline int fetch_trace(struct stackdepot *depot, const struct fetch_life *life,
				       uintptr_t *frames, u32 size, bool whole)
{
	struct fetch_step path[FETCH_PATH] __uninitialized;
	int nr = fetch_walk(depot, life->line, path);

	if (nr > 0 && ((u32)nr <= size || !whole))
		fetch_copy(depot, path, frames, (u32)nr <= size ? (u32)nr : size);
	return hold_lives(life->line, life->ref) ? nr : -ESTALE;
}

int depot_fetch(struct stackdepot *depot, u32 handle, uintptr_t *frames, unsigned int size)
{
	struct fetch_life life;
	int error = fetch_handle(depot, handle, &life);

	return error ? error : fetch_trace(depot, &life, frames, size, false);
}

int depot_fetch_whole(struct stackdepot *depot, u32 handle, uintptr_t *frames, unsigned int size)
{
	struct fetch_life life;
	int error = fetch_handle(depot, handle, &life);

	return error ? error : fetch_trace(depot, &life, frames, size, true);
}

int depot_fetch_ref(struct stackdepot *depot, u64 ref, uintptr_t *frames, unsigned int size)
{
	struct fetch_life life;
	int error = fetch_ref(depot, ref, &life);

	return error ? error : fetch_trace(depot, &life, frames, size, false);
}

u64 depot_trace_ref(struct stackdepot *depot, u32 handle)
{
	struct fetch_life life;

	return fetch_handle(depot, handle, &life) ? 0 : life.ref;
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
	struct fetch_life life = {.ref = 0};
	int error = fetch_handle(depot, handle, &life);

	return fetch_pin(depot, error, life.ref);
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
	int error;

	if (depot->read_only)
		return -EROFS;
	error = fetch_handle(depot, handle, &life);
	return error ? error : depot_unpin(depot, (u32)life.ref);
}

int depot_info(struct stackdepot *depot, u64 ref, struct stackdepot_trace_info *ret_info)
{
	struct stackdepot_trace_info info;
	struct fetch_life life;
	int nr = fetch_ref(depot, ref, &life);
	u64 state;

	if (nr)
		return nr;
	/* Acquire: the clock, read afterwards, shows no less than the stamp. */
	state = atomic64_read_acquire(&life.line->state);
	nr = fetch_trace(depot, &life, NULL, 0, true);
	if (nr < 0)
		return nr;
	info.references = state_references(state);
	info.frames = (u32)nr;
	info.kept = state & STATE_KEPT;
	info.leased =
		depot->lease_ticks && state_age(state, depot_stamp(depot)) <= depot->lease_ticks;
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
