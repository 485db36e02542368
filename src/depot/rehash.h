/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* rehash.h - which chain a line belongs to, from its frames. */
#ifndef DEPOT_REHASH_H
#define DEPOT_REHASH_H

#include "depot.h"

/*
 * depot_rehash() - the hash of a line whose frames and parents nobody changes meanwhile.
 * @state: of the line when it was live.
 */
u64 depot_rehash(struct stackdepot *depot, u32 number, u64 state);

#endif
