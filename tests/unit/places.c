/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Addresses in the keys of live objects: any that a process can have. On arm64 that is one of 48
 * bits, on x86 of 47.
 */
#include "user_test.h"

#include "store/format.h"

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

USER_SUITE(places, cmocka_unit_test(each_bit_is_the_address),
	   cmocka_unit_test(each_slot_comes_back));
