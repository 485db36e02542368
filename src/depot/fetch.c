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

/* The life that a number and some low bits of its generation name; 0 and the error if none. */
static int fetch_life(struct stackdepot *depot, u32 number, u32 generation, u32 mask, u64 *ret_ref)
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
	*ret_ref = depot_ref(number, link);
	return 0;
}

static int fetch_handle(struct stackdepot *depot, u32 handle, u64 *ret_ref)
{
	const u32 bits = handle & ((1u << (32 - STACKDEPOT_EXTRA_BITS)) - 1);
	const u32 mask = (1u << (32 - STACKDEPOT_EXTRA_BITS - depot->line_bits)) - 1;

	return fetch_life(depot, bits & ((1u << depot->line_bits) - 1), bits >> depot->line_bits,
			  mask, ret_ref);
}

int depot_life(struct stackdepot *depot, u64 ref, u64 *ret_life)
{
	return fetch_life(depot, (u32)ref, (u32)(ref >> 32), ~0u, ret_life);
}

/*
 * Copy from the innermost line upwards; the number of frames there are, -ESTALE if that line is
 * about to die, or -EBADMSG.
 */
static int fetch_copy(struct stackdepot *depot, u32 number, uintptr_t *frames, u32 size)
{
	u32 nr = 0;

	do {
		struct depot_line *line;
		const u32 room = nr < size ? size - nr : 0;
		u32 i, count;
		u64 state;

		if (number - 1 >= depot->nr_lines)
			return -EBADMSG;
		line = depot_line(depot, number);
		state = atomic64_read(&line->state);
		count = state_count(state);
		if (!(state & STATE_LIVE))
			return nr ? -EBADMSG : -ESTALE;
		if (nr + count > STACKDEPOT_MAX_FRAMES ||
		    (state & STATE_WIDE && count > DEPOT_WIDE))
			return -EBADMSG;
		if (count == DEPOT_GROUP && room >= DEPOT_GROUP && !(state & STATE_WIDE))
			run_load(line, frames + nr);
		else
			for (i = 0; i < count && i < room; i++)
				frames[nr + i] = run_frame(line, state, i);
		nr += count;
		number = state_parent(state);
	} while (number);
	return (int)nr;
}

static int fetch_trace(struct stackdepot *depot, u64 ref, uintptr_t *frames, u32 size)
{
	int nr = fetch_copy(depot, (u32)ref, frames, size);

	return hold_valid(depot, ref) ? nr : -ESTALE;
}

int depot_fetch(struct stackdepot *depot, u32 handle, uintptr_t *frames, unsigned int size)
{
	u64 ref;
	int error = fetch_handle(depot, handle, &ref);

	return error ? error : fetch_trace(depot, ref, frames, size);
}

/* Has the trace more frames? A guess, as the line may have begun another life. */
static bool fetch_exceeds(struct stackdepot *depot, u32 number, u32 size)
{
	u32 nr = 0;

	while (number && number <= depot->nr_lines && nr <= size) {
		const u64 state = atomic64_read(&depot_line(depot, number)->state);

		nr += state_count(state);
		number = state_parent(state);
	}
	return nr > size;
}

int depot_fetch_whole(struct stackdepot *depot, u32 handle, uintptr_t *frames, unsigned int size)
{
	u64 ref;
	int error = fetch_handle(depot, handle, &ref);

	if (error)
		return error;
	if (size < depot->max_frames && fetch_exceeds(depot, (u32)ref, size))
		size = 0;
	return fetch_trace(depot, ref, frames, size);
}

int depot_fetch_ref(struct stackdepot *depot, u64 ref, uintptr_t *frames, unsigned int size)
{
	u64 life;
	int error = depot_life(depot, ref, &life);

	return error ? error : fetch_trace(depot, life, frames, size);
}

u64 depot_trace_ref(struct stackdepot *depot, u32 handle)
{
	u64 ref;

	return fetch_handle(depot, handle, &ref) ? 0 : ref;
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
	u64 ref = 0;
	int error = fetch_handle(depot, handle, &ref);

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
	u64 ref;
	int error;

	if (depot->read_only)
		return -EROFS;
	error = fetch_handle(depot, handle, &ref);
	return error ? error : depot_unpin(depot, (u32)ref);
}

int depot_info(struct stackdepot *depot, u64 ref, struct stackdepot_trace_info *ret_info)
{
	struct stackdepot_trace_info info;
	u64 life, state;
	int nr = depot_life(depot, ref, &life);

	if (nr)
		return nr;
	/* Acquire: the clock, read afterwards, shows no less than the stamp. */
	state = atomic64_read_acquire(&depot_line(depot, (u32)life)->state);
	nr = fetch_trace(depot, life, NULL, 0);
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
