/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * save.c - the way of a save: found nearly always (find.h), else put in (insert.c).
 *
 * A trace that is found is held as the flags say (hold.h), which confirms that what was found still
 * lives; if it does not, the save begins anew.
 */
#include "find.h"
#include "insert.h"
#include "save.h"

u64 depot_save(struct stackdepot *depot, const uintptr_t *frames, u32 nr, unsigned int flags)
{
	const bool truncated = nr > depot->max_frames;
	uintptr_t pad[DEPOT_GROUP];
	struct find_trace trace;
	struct found found;
	u64 hash;

	if (port_unlikely(truncated))
		nr = depot->max_frames;
	if (port_unlikely(!nr || depot->read_only))
		return 0;
	trace = find_trace(frames, nr, pad);
	hash = depot_hash_trace(depot, frames, nr, trace.window);
	do {
		found = find(depot, &trace, hash, 0, 0);
		if (port_unlikely(!found.ref))
			return depot_insert(depot, frames, nr, flags, truncated);
	} while (port_unlikely(!hold(depot, found.ref, found.state, flags)));
	return found.ref;
}

stackdepot_handle_t stackdepot_save(struct stackdepot *depot, const uintptr_t *frames,
				    unsigned int nr, unsigned int flags)
{
	u64 ref = depot_save(depot, frames, nr, flags);

	return ref ? depot_handle(depot, ref) : 0;
}
