// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * save.c - the way of a save: found nearly always (find.h), else put in (insert.c).
 *
 * A trace that is found is held as the flags say (hold.h), which confirms that what was found still
 * lives; if it does not, the save begins anew.
 *
 * depot_save() itself is the way of a save that has nothing to write. It calls nothing, so it
 * needs no room on the stack; whatever else there may be to do is done in its place.
 */
#include "find.h"
#include "insert.h"

static u32 save_slow(struct stackdepot *depot, const uintptr_t *frames, unsigned int nr,
		     unsigned int flags);

/*
 * The trace was looked for in vain: put in, unless that is forbidden. The host may want less of it
 * stored; that is another trace.
 */
static u32 save_add(struct stackdepot *depot, const uintptr_t *frames, unsigned int nr,
		    unsigned int flags, struct chain_place *place)
{
	const unsigned int wanted = depot_trim(frames, nr);
	u64 ref;

	if (unlikely(wanted != nr))
		return save_slow(depot, frames, wanted, flags);
	ref = depot_insert(depot, frames, nr, flags, place);
	return ref ? depot_handle(depot, ref) : 0;
}

/* Nothing to save, nowhere to save it, very little or too much; or there may be wide frames. */
static noinline u32 save_slow(struct stackdepot *depot, const uintptr_t *frames, unsigned int nr,
			      unsigned int flags)
{
	const u32 kept = nr < depot->max_frames ? nr : depot->max_frames;
	uintptr_t pad[DEPOT_GROUP] __uninitialized;
	const struct find_trace trace = {
		.frames = frames, .window = hash_pad(frames, kept, pad), .nr = kept};
	struct chain_place place __uninitialized;
	struct depot_found found;
	u64 hash;

	if (!nr || depot->read_only)
		return 0;
	hash = depot_hash_trace(depot, frames, kept, trace.window);
	do {
		found = find_line(depot, &trace, hash, &place);
		if (!found.ref)
			return save_add(depot, frames, nr, flags, find_noted(&place));
		if (hold_is_current(depot, found.state, flags) && found_unchanged(&found))
			break;
	} while (!depot_hold(depot, found.ref, found.state, flags));
	return depot_handle(depot, found.ref);
}

/*
 * Not found by the quick way, which looks for whole narrow lines: there are no others in a depot
 * that never had a wide one. If what there was has just been evicted, or somebody changes the
 * chain, the inserting side finds out.
 */
static noinline u32 save_missed(struct stackdepot *depot, const uintptr_t *frames, unsigned int nr,
				unsigned int flags, struct chain_place *place)
{
	if (unlikely(READ_ONCE(depot->header->wide)))
		return save_slow(depot, frames, nr, flags);
	return save_add(depot, frames, nr, flags, place);
}

/* Found, but there is something to write. */
static noinline u32 save_hold(struct stackdepot *depot, const uintptr_t *frames, unsigned int nr,
			      unsigned int flags, u64 ref, u64 state)
{
	if (depot_hold(depot, ref, state, flags))
		return depot_handle(depot, ref);
	return save_slow(depot, frames, nr, flags);
}

u32 DEPOT_VARIANT(depot_save)(struct stackdepot *depot, const uintptr_t *frames, unsigned int nr,
			      unsigned int flags)
{
	struct find_trace trace = {.frames = frames, .nr = nr, .quick = true};
	uintptr_t copy[DEPOT_GROUP] __uninitialized;
	struct chain_place place __uninitialized;
	struct depot_found found;

	if (unlikely(nr < DEPOT_GROUP || nr > depot->save_frames))
		return save_slow(depot, frames, nr, flags);
	trace.window = run_window(frames, copy);
	found = find_line(depot, &trace, depot_hash_trace(depot, frames, nr, trace.window), &place);
	if (unlikely(!found.ref))
		return save_missed(depot, frames, nr, flags, find_noted(&place));
	if (unlikely(!hold_is_current(depot, found.state, flags)))
		return save_hold(depot, frames, nr, flags, found.ref, found.state);
	if (unlikely(!found_unchanged(&found)))
		return save_slow(depot, frames, nr, flags);
	return depot_handle(depot, found.ref);
}
