// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * take.c - where a line to be filled comes from.
 *
 * Lines never used before come first, in the order of their numbers; when there are none left a
 * victim is evicted. A line is a candidate for eviction before its first use (candidates.h), also
 * while it is in hands: who takes the first line of a word of candidates has put all of it into the
 * set before, and who takes another one took it after that, by the same counter.
 */
#include "candidates.h"
#include "evict.h"
#include "index.h"
#include "take.h"

/* A line never used before; 0 if there is none, -ENOMEM if the port has no memory for it. */
static int take_fresh(struct stackdepot *depot, unsigned int flags, u32 *ret_number)
{
	u32 fresh = READ_ONCE(depot->header->fresh);

	do {
		if (fresh >= depot->nr_lines)
			return 0;
		if (!depot_populate(depot, fresh + 1, flags))
			return -ENOMEM;
		if (candidate_begins(fresh + 1))
			depot_candidate_begin(depot, fresh + 1);
	} while (!try_cmpxchg(&depot->header->fresh, &fresh, fresh + 1));
	*ret_number = fresh + 1;
	if (unlikely(depot_index_is_due(depot, *ret_number)))
		depot_index_grow(depot);
	return 0;
}

u32 depot_take(struct stackdepot *depot, unsigned int flags)
{
	u32 number = 0;
	int error = take_fresh(depot, flags, &number);

	if (number)
		return number;
	if (flags & STACKDEPOT_NO_EVICT) {
		depot_count(depot, error ? COUNT_DROPS_NO_MEMORY : COUNT_DROPS_NO_EVICT);
		return 0;
	}
	number = depot_evict(depot);
	if (!number)
		depot_count(depot, error ? COUNT_DROPS_NO_MEMORY : COUNT_DROPS_PINNED);
	return number;
}

void depot_release(struct stackdepot *depot, u32 number)
{
	/* It may have been dismissed while it was filled and pinned. */
	depot_candidate_set(depot, number);
	/* Release: whoever takes it finds it unlinked, and dead. */
	atomic64_set_release(&depot_line(depot, number)->state, STATE_FREE);
}
