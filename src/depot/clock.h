/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* clock.h - the clock that leases are measured by. It only advances. */
#ifndef DEPOT_CLOCK_H
#define DEPOT_CLOCK_H

#include "depot.h"

/* depot_clock_advance() - let the clock show `tick` at least; whoever is late changes nothing. */
static inline void depot_clock_advance(struct stackdepot *depot, u64 tick)
{
	atomic64_t *clock = &depot->header->tick;
	u64 now = atomic64_read(clock);

	while (now < tick && !atomic64_try_cmpxchg(clock, &now, tick))
		;
}

#endif
