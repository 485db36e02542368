/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* insert.h - where a trace is put in. */
#ifndef DEPOT_INSERT_H
#define DEPOT_INSERT_H

#include "chain.h"

/*
 * depot_insert() - store a trace that was not found; somebody may have stored it meanwhile.
 * @frames, @nr: 1 or more; beyond max_frames the outermost are left out.
 * @flags:       of depot_save(); with STACKDEPOT_FIND nothing is stored.
 * @place:       where it belongs, as find_line() noted it; or NULL.
 *
 * Return: the 64-bit reference of the trace, held as the flags say; or 0, and the cause counted.
 */
u64 depot_insert(struct stackdepot *depot, const uintptr_t *frames, u32 nr, unsigned int flags,
		 struct chain_place *place);

#endif
