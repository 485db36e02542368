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

/* What this save comes to when nothing is left out; what was cut off is only counted. */
static u64 save_trace(struct stackdepot *depot, const uintptr_t *frames, u32 nr, unsigned int flags,
		      bool truncated)
{
	uintptr_t pad[DEPOT_GROUP];
	const struct find_trace trace = {
		.frames = frames, .window = hash_pad(frames, nr, pad), .nr = nr};
	const u64 hash = depot_hash_trace(depot, frames, nr, trace.window);
	struct depot_found found;

	do {
		found = find_line(depot, &trace, hash);
		if (!found.ref)
			return depot_insert(depot, frames, nr, flags, truncated);
	} while (!depot_hold(depot, found.ref, found.state, flags));
	return found.ref;
}

/* Nothing to save, nowhere to save it, very little or too much; or not found by the quick way. */
static noinline u32 save_slow(struct stackdepot *depot, const uintptr_t *frames, unsigned int nr,
			      unsigned int flags)
{
	const bool truncated = nr > depot->max_frames;
	u64 ref;

	if (!nr || depot->read_only)
		return 0;
	ref = save_trace(depot, frames, truncated ? depot->max_frames : nr, flags, truncated);
	return ref ? depot_handle(depot, ref) : 0;
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
	uintptr_t copy[DEPOT_GROUP];
	struct depot_found found;

	if (unlikely(nr < DEPOT_GROUP || nr > depot->save_frames))
		return save_slow(depot, frames, nr, flags);
	trace.window = run_window(frames, copy);
	found = find_line(depot, &trace, depot_hash_trace(depot, frames, nr, trace.window));
	if (unlikely(!found.ref))
		return save_slow(depot, frames, nr, flags);
	if (unlikely(!hold_is_current(depot, found.state, flags)))
		return save_hold(depot, frames, nr, flags, found.ref, found.state);
	if (unlikely(!found_unchanged(&found)))
		return save_slow(depot, frames, nr, flags);
	return depot_handle(depot, found.ref);
}
