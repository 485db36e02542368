/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * save.c - the way of a save: found nearly always (find.h), else put in (insert.c).
 *
 * A trace that is found is held as the flags say (hold.h), which confirms that what was found still
 * lives; if it does not, the save begins anew.
 */
#include "find.h"
#include "insert.h"

/* `frames` as hash_pad() returns them. */
port_inline u64 save(struct stackdepot *depot, const uintptr_t *frames, u32 nr, unsigned int flags,
		     bool truncated)
{
	const struct find_trace trace = {frames, nr, 0, 0};
	const u64 hash = depot_hash_trace(depot, frames, nr);
	struct found found;

	do {
		found = find(depot, &trace, hash);
		if (port_unlikely(!found.ref))
			return depot_insert(depot, frames, nr, flags, truncated);
	} while (port_unlikely(!hold(depot, found.ref, found.state, flags)));
	return found.ref;
}

/* What is not the usual case: nothing to save, nowhere to save it, very little or too much of it. */
static port_noinline u64 save_odd(struct stackdepot *depot, const uintptr_t *frames, u32 nr,
				  unsigned int flags)
{
	const bool truncated = nr > depot->max_frames;
	uintptr_t pad[DEPOT_GROUP];

	if (!nr || depot->read_only)
		return 0;
	if (truncated)
		nr = depot->max_frames;
	return save(depot, hash_pad(frames, nr, pad), nr, flags, truncated);
}

stackdepot_handle_t PORT_VARIANT(stackdepot_save)(struct stackdepot *depot, const uintptr_t *frames,
						  unsigned int nr, unsigned int flags)
{
	u64 ref;

	if (port_unlikely(nr < DEPOT_GROUP || nr > depot->save_frames))
		ref = save_odd(depot, frames, nr, flags);
	else
		ref = save(depot, frames, nr, flags, false);
	return ref ? depot_handle(depot, ref) : 0;
}
