/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Addresses in the keys of live objects: any that a process can have. On arm64 that is one of 48
 * bits, on x86 of 47.
 */
#include "user_test.h"

#include "store/format.h"
#include "store/live.h"

static void place_is(uint64_t address, uint32_t slot, uint64_t flags)
{
	const uint64_t key = store_place(address, slot) | flags;

	assert_true(store_key_address(key) == address);
	assert_int_equal(store_key_slot(key), slot);
	assert_true((key & ENTRY_FLAGS) == (flags & ENTRY_FLAGS));
	assert_int_equal(!!store_is_mapping(key), !!(flags & STORE_MAPPING));
}

/* Each bit of an address is the address's alone: none of them makes it another's, or a mapping. */
static void each_bit_is_the_address(void **state)
{
	static const uint64_t flags[] = {0,	     ENTRY_BUSY,    ENTRY_HELD,
					 ENTRY_BARE, STORE_MAPPING, STORE_MAPPING | ENTRY_BARE};
	unsigned int bit, i;

	(void)state;
	for (bit = 3; bit < 48; bit++) {
		for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
			place_is(1ull << bit, 0, flags[i]);
			place_is(~0ull << bit & ENTRY_ADDRESS, ENTRY_MAX_SLOTS - 1, flags[i]);
		}
	}
}

static void each_slot_comes_back(void **state)
{
	uint32_t slot;

	(void)state;
	for (slot = 0; slot < ENTRY_MAX_SLOTS; slot++) {
		place_is(ENTRY_ADDRESS, slot, 0);
		place_is(8, slot, STORE_MAPPING);
	}
}

#define BUCKETS 32768u

static uint8_t used[BUCKETS];

static bool bucket_takes(uint32_t bucket)
{
	if (used[bucket] == STORE_BUCKET_ENTRIES)
		return false;
	used[bucket]++;
	return true;
}

/* As the recorder looks for room. */
static bool table_takes(uint64_t place)
{
	const uint32_t home = store_home(place, BUCKETS);
	unsigned int i;

	for (i = 0; i < LIVE_PROBE; i++)
		if (bucket_takes(live_bucket_behind(home, i, BUCKETS)))
			return true;
	for (i = 0; i < STORE_SPILLS; i++) {
		const uint32_t bucket = store_spill(place, i, BUCKETS);

		if (!live_is_behind(home, bucket, BUCKETS) && bucket_takes(bucket))
			return true;
	}
	return false;
}

/* Percent of the table that processes of so many objects fill before one finds no room. */
static unsigned int table_fill(uint32_t objects, bool same_addresses, uint64_t dice)
{
	uint64_t heap = 0x555555559000, nr = 0;
	uint32_t slot, i;

	memset(used, 0, sizeof(used));
	for (slot = 0; slot < ENTRY_MAX_SLOTS; slot++) {
		dice = dice * 6364136223846793005u + 1442695040888963407u;
		if (!same_addresses)
			heap = 0x550000000000 + (dice >> 30 << 12);
		for (i = 0; i < objects; i++, nr++)
			if (!table_takes(store_place(heap + 32 * i, slot)))
				return (unsigned int)(100 * nr / (BUCKETS * STORE_BUCKET_ENTRIES));
	}
	return 0;
}

/* Heaps are dense, and those of many processes meet in the table. */
static void many_processes_find_room(void **state)
{
	static const uint32_t objects[] = {200, 1000, 3000};
	unsigned int i;
	uint64_t seed;

	(void)state;
	for (i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		for (seed = 1; seed <= 4; seed++)
			assert_in_range(table_fill(objects[i], false, seed), 60, 100);
		assert_in_range(table_fill(objects[i], true, 0), 60, 100);
	}
}

/* How many pages of the table mappings of so many bytes each begin in, one behind the other. */
static uint32_t mapping_pages(uint32_t nr, uint64_t bytes)
{
	uint32_t i, pages = 0;

	memset(used, 0, sizeof(used));
	for (i = 0; i < nr; i++) {
		const uint64_t place = store_place(0x7f0000000000 + i * bytes, 5) | STORE_MAPPING;

		assert_true(bucket_takes(store_home_of_any(place, BUCKETS)));
	}
	for (i = 0; i < BUCKETS / STORE_PAGE_BUCKETS; i++) {
		static const uint8_t none[STORE_PAGE_BUCKETS];

		pages += !!memcmp(&used[i * STORE_PAGE_BUCKETS], none, sizeof(none));
	}
	return pages;
}

/* Those of a library of a MiB lie in two pages at most, and single pages have room at home. */
static void mappings_lie_together(void **state)
{
	(void)state;
	assert_in_range(mapping_pages(5, 200 << 10), 1, 2);
	assert_in_range(mapping_pages(256, 4096), 1, 2);
	assert_true(store_home_of_any(store_place(4096, 5), BUCKETS) ==
		    store_home(store_place(4096, 5), BUCKETS));
}

USER_SUITE(places, cmocka_unit_test(each_bit_is_the_address),
	   cmocka_unit_test(each_slot_comes_back), cmocka_unit_test(many_processes_find_room),
	   cmocka_unit_test(mappings_lie_together));
