/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef DEPOT_SAVE_H
#define DEPOT_SAVE_H

#include "depot.h"

/* depot_save() - stackdepot_save() with a 64-bit reference for its result. */
u64 depot_save(struct stackdepot *depot, const uintptr_t *frames, u32 nr, unsigned int flags);

#endif
