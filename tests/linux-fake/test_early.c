// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test_early.c - a depot that is made before the page allocator is up, on a machine without
 * parameters.
 *
 *	test_early [NR]
 *
 * NR allocations are all that memblock has: the first is the depot's block, each other one a page
 * of lines.
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
#define MASKED 0u /* gfp flags as callers have them early in a boot */
#define BURST 1000u
/* Of a chunk: three small pages, or a large one. */
#ifdef CORE_PAGE
#define CHUNK_LINES (CORE_PAGE / 64)
#define CHUNK_PAGES 1
#else
#define CHUNK_LINES 256
#define CHUNK_PAGES 3
#endif
#define LOOK_LINES 64

unsigned int stack_depot_save_flags(unsigned long *entries, unsigned int nr, unsigned int gfp,
				    unsigned int flags);
void stack_depot_request_early_init(void);
int stack_depot_early_init(void);

static unsigned long next_id;

/* A fresh trace, which takes two lines; the first takes one more, which the others share. */
static unsigned int save_fresh(unsigned int gfp)
{
	unsigned long frames[20], id = next_id++;
	unsigned int i;

	for (i = 0; i < 20; i++)
		frames[i] = (unsigned long)0xffff800080000000ull + (i < 12 ? id << 8 : 0x7000000) +
			    4 * i;
	return stack_depot_save_flags(frames, 20, gfp, CAN_ALLOC);
}

static unsigned int burst(void)
{
	unsigned int got = 0, i;

	for (i = 0; i < BURST; i++)
		got += save_fresh(MASKED) != 0;
	return got;
}

static void a_depot_is_made_early(void **state)
{
	(void)state;
	stack_depot_request_early_init();
	assert_int_equal(stack_depot_early_init(), 0);
	fake_late_initcalls();
	assert_int_equal(fake_pages, 0);
}

/* And whole until it is looked at again. There is no chunk more than that takes. */
static void its_reserve_is_full(void **state)
{
	(void)state;
	assert_true(stat("reserve") >= stat("reserve_wanted") + LOOK_LINES);
	assert_true(stat("reserve") < stat("reserve_wanted") + LOOK_LINES + CHUNK_LINES);
}

static void a_burst_needs_no_allocation(void **state)
{
	unsigned long long bytes = stat("bytes");

	(void)state;
	assert_int_equal(burst(), BURST);
	assert_int_equal(fake_pages, 0);
	assert_int_equal(stat("bytes"), bytes);
	assert_int_equal(stat("drops_no_memory"), 0);
}

/* Line 0 is never used. */
static void lines_are_in_what_memblock_had(void **state)
{
	const unsigned int chunks = (unsigned int)*(long *)*state - 1;

	assert_int_equal(stat("reserve"), chunks ? chunks * CHUNK_LINES - 1 : 0);
}

/* Whatever memblock had. */
static void the_first_that_may_brings_a_chunk(void **state)
{
	(void)state;
	assert_int_not_equal(save_fresh(GFP), 0);
	assert_int_equal(fake_pages, CHUNK_PAGES);
}

static void others_take_what_there_is(void **state)
{
	const unsigned int lines = (unsigned int)stat("reserve");

	(void)state;
	assert_int_equal(burst(), lines / 2);
	assert_int_equal(stat("reserve"), 0);
	assert_true(stat("drops_no_memory") > 0);
	assert_int_equal(fake_pages, CHUNK_PAGES);
}

static void there_is_no_depot_without_its_block(void **state)
{
	(void)state;
	stack_depot_request_early_init();
	assert_int_equal(stack_depot_early_init(), -12); /* ENOMEM */
	assert_int_equal(fake_said("no depot of"), 1);
	assert_int_equal(save_fresh(GFP), 0);
}

int main(int argc, char **argv)
{
	static long nr;
	const struct CMUnitTest whole[] = {
		cmocka_unit_test(a_depot_is_made_early),
		cmocka_unit_test(its_reserve_is_full),
		cmocka_unit_test(a_burst_needs_no_allocation),
		cmocka_unit_test(the_first_that_may_brings_a_chunk),
	};
	const struct CMUnitTest part[] = {
		cmocka_unit_test(a_depot_is_made_early),
		cmocka_unit_test_prestate(lines_are_in_what_memblock_had, &nr),
		cmocka_unit_test(the_first_that_may_brings_a_chunk),
		cmocka_unit_test(others_take_what_there_is),
	};
	const struct CMUnitTest none[] = {cmocka_unit_test(there_is_no_depot_without_its_block)};

	if (argc < 2)
		return cmocka_run_group_tests_name("depot_early", whole, NULL, NULL);
	nr = fake_early_allowed = strtol(argv[1], NULL, 10);
	if (!nr)
		return cmocka_run_group_tests_name("depot_early", none, NULL, NULL);
	return cmocka_run_group_tests_name("depot_early", part, NULL, NULL);
}
