// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* clock.c - the clock of a depot whose owner moves it by hand. */
#include "clock.h"

int depot_tick(struct stackdepot *depot)
{
	if (depot->read_only)
		return -EROFS;
	if (depot->ring_entries)
		return -EBUSY;
	atomic64_fetch_add_relaxed(1, &depot->header->tick);
	return 0;
}

u64 depot_now(struct stackdepot *depot)
{
	return atomic64_read(&depot->header->tick);
}
