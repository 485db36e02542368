// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test_reserve.c - a depot as a machine without parameters has it, and bursts that may not
 * allocate.
 *
 *	test_reserve [BOUND]
 *
 * BOUND is given as stack_depot_max_bytes=.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stat.h"

#define CAN_ALLOC 1u
#define GFP 1u
#define BURST 1000u

unsigned int stack_depot_save_flags(unsigned long *entries, unsigned int nr, unsigned int gfp,
				    unsigned int flags);
int stack_depot_init(void);
void measured_ahead(long saved, long added);

static const char *bound, *pools;
static unsigned long next_id;

/* A fresh trace of so many frames, its outermost 8 those of all others. */
static unsigned int save_fresh_by(unsigned int nr, unsigned int flags, unsigned int gfp)
{
	unsigned long frames[64], id = next_id++;
	unsigned int i;

	for (i = 0; i < nr; i++)
		frames[i] = 0xffff800080000000ul + (i < nr - 8 ? id << 8 : 0x7000000) + 4 * i;
	return stack_depot_save_flags(frames, nr, gfp, flags);
}

static unsigned int save_fresh(unsigned int nr, unsigned int flags)
{
	return save_fresh_by(nr, flags, GFP);
}

static void a_depot_is_made(void **state)
{
	(void)state;
	if (bound)
		assert_int_equal(fake_boot_param("stack_depot_max_bytes", bound), 0);
	if (pools) {
		assert_int_not_equal(fake_boot_param("stack_depot_max_pools", "many"), 0);
		assert_int_not_equal(fake_boot_param("stack_depot_max_pools", ""), 0);
		assert_int_not_equal(fake_boot_param("stack_depot_max_pools", "0"), 0);
		assert_int_equal(fake_boot_param("stack_depot_max_pools", pools), 0);
	}
	assert_int_equal(stack_depot_init(), 0);
	fake_late_initcalls();
	/* Never more than a quarter of memory: the index alone would be a large part of it. */
	assert_true(stat("max_bytes") <= fake_memory_bytes / 4);
	assert_int_equal(fake_said("limited to that"), bound && !strcmp(bound, "1T"));
	if (pools)
		assert_int_equal(stat("max_bytes"), strtoul(pools, NULL, 0) * 4 * 4096);
	else if (!bound)
		assert_int_equal(stat("max_bytes"), fake_memory_bytes / 32);
	assert_true(stat("bytes") <= stat("max_bytes") / 16);
}

/* A burst of fresh kept traces from where nothing may be allocated gets in. */
static void a_burst_is_met_by_the_reserve(void **state)
{
	unsigned int round, i;

	(void)state;
	for (round = 0; round < 4; round++) {
		unsigned int frames = 12 + 8 * round; /* in round + 1 lines of its own */
		unsigned int got = 0;

		/* As many that may allocate as let the average catch up, and fill the reserve. */
		for (i = 0; i < 6000; i++) {
			assert_int_not_equal(save_fresh(frames, CAN_ALLOC), 0);
			/* From then on it is whole at any time. */
			if (i > 5500 && i % 5 == 0)
				assert_true(stat("reserve") >= stat("reserve_wanted"));
		}
		/*
		 * The index has grown with them, up to a bucket for 256 bytes of the bound; it may
		 * be waiting for its pages, which come one at a time.
		 */
		assert_true(stat("lines_used") < 2 * stat("buckets") ||
			    stat("buckets") * 512 > stat("max_bytes"));
		fake_in_nmi = true;
		for (i = 0; i < BURST; i++)
			got += save_fresh(frames, 0) != 0;
		fake_in_nmi = false;
		printf("%u frames: %u of %u, reserve %llu lines\n", frames, got, BURST,
		       stat("reserve_wanted"));
		assert_int_equal(got, BURST);
	}
	assert_int_equal(fake_said("full"), 0);
}

/* Who may not wait for the page allocator's locks takes of the lines at hand. */
static void who_may_not_spin_allocates_nothing(void **state)
{
	unsigned long long bytes;
	unsigned int i;

	(void)state;
	for (i = 0; i < 6000; i++)
		assert_int_not_equal(save_fresh(12, CAN_ALLOC), 0);
	bytes = stat("bytes");
	for (i = 0; i < BURST; i++)
		assert_int_not_equal(save_fresh_by(12, CAN_ALLOC, 0), 0);
	assert_int_equal(stat("bytes"), bytes);
	assert_true(stat("reserve") < stat("reserve_wanted"));
	/* The first that may, brings memory. */
	assert_int_not_equal(save_fresh(12, CAN_ALLOC), 0);
	assert_true(stat("bytes") > bytes);
}

/* A CPU reads the counters, another measures, and only then the first looks at the result. */
static void measuring_late_changes_nothing(void **state)
{
	unsigned long long wanted = stat("reserve_wanted");
	unsigned int i;

	(void)state;
	measured_ahead(200, 500);
	for (i = 0; i < 150; i++)
		assert_int_not_equal(save_fresh(12, CAN_ALLOC), 0);
	assert_int_equal(stat("reserve_wanted"), wanted);
	/* The other has written only one of the two numbers. */
	measured_ahead(-2000, 100000);
	for (i = 0; i < 150; i++)
		assert_int_not_equal(save_fresh(12, CAN_ALLOC), 0);
	assert_int_equal(stat("reserve_wanted"), wanted);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_depot_is_made),
		cmocka_unit_test(a_burst_is_met_by_the_reserve),
		cmocka_unit_test(who_may_not_spin_allocates_nothing),
		cmocka_unit_test(measuring_late_changes_nothing),
	};

	bound = argc == 2 ? argv[1] : NULL;
	pools = argc == 3 ? argv[2] : NULL;
	return cmocka_run_group_tests_name("depot_reserve", tests, NULL, NULL);
}
