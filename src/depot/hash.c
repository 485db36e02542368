// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "hash.h"

/* Keys from the seed by splitmix64 (Steele, Lea, Flood, "Fast splittable generators", 2014). */
void depot_hash_seed(struct stackdepot *depot, u64 seed)
{
	u32 i;

	for (i = 0; i < DEPOT_KEYS; i++) {
		u64 z = seed += HASH_MULTIPLIER;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ z >> 27) * 0x94d049bb133111ebull;
		depot->keys[i] = (z ^ z >> 31) | 1;
	}
}
