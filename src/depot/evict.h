/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* evict.h - where a victim is chosen. See evict.c. */
#ifndef DEPOT_EVICT_H
#define DEPOT_EVICT_H

#include "depot.h"

/* depot_evict() - a line by eviction, in the caller's hands; 0 if none can be had. */
u32 depot_evict(struct stackdepot *depot);

#endif
