/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* counter.h - what was allocated from a trace, counted at the number of its line. */
#ifndef STORE_COUNTER_H
#define STORE_COUNTER_H

#include <stdbool.h>

#include "format.h"

static inline uint64_t counter_life(stackdepot_ref_t trace)
{
	return 1ull << 32 | trace >> 32;
}

/*
 * Let the counter be the trace's. What it has of an evicted trace goes to the sum of such. False:
 * another thread did it.
 */
static inline bool counter_begin(struct store_totals *totals, struct store_counter *counter,
				 uint64_t old, stackdepot_ref_t trace)
{
	uint64_t allocs, bytes;

	if (!__atomic_compare_exchange_n(&counter->life, &old, counter_life(trace), false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return false;
	allocs = __atomic_exchange_n(&counter->allocs, 0, __ATOMIC_RELAXED);
	bytes = __atomic_exchange_n(&counter->bytes, 0, __ATOMIC_RELAXED);
	if (allocs) {
		(void)__atomic_fetch_add(&totals->evicted_allocs, allocs, __ATOMIC_RELAXED);
		(void)__atomic_fetch_add(&totals->evicted_bytes, bytes, __ATOMIC_RELAXED);
	}
	return true;
}

static inline void counter_add(struct store_totals *totals, struct store_counter *counter,
			       stackdepot_ref_t trace, uint64_t allocs, uint64_t bytes)
{
	uint64_t old = __atomic_load_n(&counter->life, __ATOMIC_RELAXED);

	if (__builtin_expect(old != counter_life(trace), 0))
		(void)counter_begin(totals, counter, old, trace);
	(void)__atomic_fetch_add(&counter->allocs, allocs, __ATOMIC_RELAXED);
	(void)__atomic_fetch_add(&counter->bytes, bytes, __ATOMIC_RELAXED);
}

#endif
