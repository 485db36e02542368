/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * live.h - where an object can be in the table of live objects.
 *
 * In its home bucket, or one of the seven behind it, or one of 24 others; overflow[home]
 * counts its objects that are not at home, bits 0 to 3 those behind it, 4 to 7 those anywhere. At
 * 15 a count stays.
 */
#ifndef STORE_LIVE_H
#define STORE_LIVE_H

#include <stdbool.h>

#include "format.h"

#define LIVE_PROBE 8u
#define LIVE_BEHIND 0x01u /* units of the overflow counts */
#define LIVE_ANYWHERE 0x10u

static inline uint32_t live_bucket_behind(uint32_t home, uint32_t distance, uint32_t buckets)
{
	uint32_t number = home + distance;

	return number < buckets ? number : number - buckets;
}

static inline bool live_is_behind(uint32_t home, uint32_t bucket, uint32_t buckets)
{
	uint32_t distance = bucket >= home ? bucket - home : bucket + buckets - home;

	return distance < LIVE_PROBE;
}

/* Which way a place came to this bucket: 0, if it is at home. */
static inline uint8_t live_way(uint64_t place, uint32_t bucket, uint32_t buckets)
{
	uint32_t home = store_home_of_any(place, buckets);

	if (bucket == home)
		return 0;
	return live_is_behind(home, bucket, buckets) ? LIVE_BEHIND : LIVE_ANYWHERE;
}

/* One object more, or less, of this home went this way. */
static inline void live_displaced(uint8_t *counts, uint8_t way, bool more)
{
	uint8_t old = __atomic_load_n(counts, __ATOMIC_RELAXED), all = (uint8_t)(way * 15), changed;

	do {
		if ((old & all) == all || (!more && !(old & all)))
			return;
		changed = (uint8_t)(more ? old + way : old - way);
	} while (!__atomic_compare_exchange_n(counts, &old, changed, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
}

#endif
