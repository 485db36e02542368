/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* large.c - sizes of 4 GiB and more, of which a process has few. */
#include "format.h"

/* While it is being filled. */
#define LARGE_BUSY ENTRY_BUSY

uint64_t store_large_size(const struct store_large *larges, uint64_t place)
{
	const uint32_t home = store_large_home(place);
	uint32_t i;

	for (i = 0; i < STORE_LARGES; i++) {
		const struct store_large *large = &larges[(home + i) % STORE_LARGES];

		if (__atomic_load_n(&large->key, __ATOMIC_ACQUIRE) == place)
			return large->size;
	}
	return ENTRY_LARGE;
}

bool store_large_put(struct store_large *larges, uint64_t place, uint64_t size)
{
	const uint32_t home = store_large_home(place);
	uint32_t i;

	for (i = 0; i < STORE_LARGES; i++) {
		struct store_large *large = &larges[(home + i) % STORE_LARGES];
		uint64_t none = 0;

		if (!__atomic_compare_exchange_n(&large->key, &none, place | LARGE_BUSY, false,
						 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		large->size = size;
		__atomic_store_n(&large->key, place, __ATOMIC_RELEASE);
		return true;
	}
	return false;
}

void store_large_drop(struct store_large *larges, uint64_t place)
{
	const uint32_t home = store_large_home(place);
	uint32_t i;

	for (i = 0; i < STORE_LARGES; i++) {
		struct store_large *large = &larges[(home + i) % STORE_LARGES];

		if ((__atomic_load_n(&large->key, __ATOMIC_RELAXED) & ~LARGE_BUSY) == place)
			__atomic_store_n(&large->key, 0, __ATOMIC_RELEASE);
	}
}
