/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* insert.h - where a trace is put in. */
#ifndef DEPOT_INSERT_H
#define DEPOT_INSERT_H

#include "depot.h"

/*
 * depot_insert() - store a trace that was not found; somebody may have stored it meanwhile.
 * @frames, @nr: 1 or more; beyond max_frames the outermost are left out.
 * @flags:       of depot_save(); with STACKDEPOT_FIND nothing is stored.
 *
 * Return: the 64-bit reference of the trace, held as the flags say; or 0, and the cause counted.
 */
u64 depot_insert(struct stackdepot *depot, const uintptr_t *frames, u32 nr, unsigned int flags);

/* depot_add() - depot_save() of a trace that was just looked for in vain; see depot_insert(). */
static inline u32 depot_add(struct stackdepot *depot, const uintptr_t *frames, u32 nr,
			    unsigned int flags)
{
	const u64 ref = depot_insert(depot, frames, nr, flags);

	return ref ? depot_handle(depot, ref) : 0;
}

#endif
