// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* From a number of bytes to a depot: what is too little, too much or makes no sense. */
#include "core_test.h"

static int options_error(struct stackdepot_options options)
{
	struct stackdepot *depot = (void *)&options;
	int error = depot_create(&options, &depot);

	if (!error)
		depot_destroy(depot);
	else if (depot != (void *)&options)
		return 1; /* touched */
	return error;
}

static void options_out_of_range_are_refused(core_test *test)
{
	struct stackdepot_options fine = {.max_bytes = 16 * CORE_PAGE};
	struct stackdepot_options bad;

	CORE_EQ(options_error(fine), 0);
	bad = fine, bad.max_frames = STACKDEPOT_MAX_FRAMES + 1;
	CORE_EQ(options_error(bad), -EINVAL);
	bad = fine, bad.max_frames = ~0u;
	CORE_EQ(options_error(bad), -EINVAL);
	bad = fine, bad.lease_ticks = STACKDEPOT_MAX_LEASE_TICKS + 1;
	CORE_EQ(options_error(bad), -EINVAL);
	bad = fine, bad.ring_entries = ~0u;
	CORE_EQ(options_error(bad), -EINVAL);
	bad = fine, bad.ring_entries = 1 << 20; /* larger than the bound */
	CORE_EQ(options_error(bad), -EINVAL);
	bad = fine, bad.lines = STACKDEPOT_MAX_LINES + 1;
	CORE_EQ(options_error(bad), -EINVAL);
	bad = fine, bad.buckets = ~0u;
	CORE_EQ(options_error(bad), -EINVAL);
	bad = fine, bad.buckets = 1 << 20;
	CORE_EQ(options_error(bad), -EINVAL);
	bad = fine, bad.flags = ~0u;
	CORE_EQ(options_error(bad), -EINVAL);
}

static void the_limits_themselves_are_fine(core_test *test)
{
	struct stackdepot_options options = {.max_bytes = 1 << 20};

	options.max_frames = 1;
	CORE_EQ(options_error(options), 0);
	options.max_frames = STACKDEPOT_MAX_FRAMES;
	options.lease_ticks = STACKDEPOT_MAX_LEASE_TICKS;
	options.lines = STACKDEPOT_MAX_LINES; /* at most */
	CORE_EQ(options_error(options), 0);
	options.ring_entries = 1;
	CORE_EQ(options_error(options), 0);
}

static void small_budgets_work_or_are_refused(core_test *test)
{
	u64 bytes, smallest = depot_bytes_for(1, NULL);

	CORE_EQ(options_error((struct stackdepot_options){0}), -EINVAL);
	for (bytes = 1; bytes < 5 * CORE_PAGE;
	     bytes += bytes < CORE_PAGE - 96 ? CORE_PAGE / 4 - 27 : CORE_PAGE / 65) {
		struct stackdepot_options options = {.max_bytes = bytes};
		struct stackdepot *depot;

		if (bytes < smallest) {
			CORE_EQ(options_error(options), -EINVAL);
			continue;
		}
		CORE_EQ(depot_create(&options, &depot), 0);
		CORE_TRUE(core_stats(depot).lines >= 1);
		CORE_EQ(core_stats(depot).max_bytes, bytes);
		CORE_TRUE(core_stats(depot).mapped_bytes <= bytes);
		CORE_NE(core_save1(depot, 7, 0), 0);
		core_finish(test, depot);
	}
}

/*
 * The bound holds whatever the mixture, and what it leaves unused is less than a page and a line;
 * four pages where lines come in chunks of three.
 */
static void the_bound_covers_everything(core_test *test)
{
	u64 random = 5;
	unsigned int round;

	for (round = 0; round < 200; round++) {
		struct stackdepot_options options = {
			.max_bytes = 25 * CORE_PAGE + (u32)trace_random(&random) % 3000000,
			.ring_entries = trace_modulo(trace_random(&random), 3) ? 0 : 1 << round % 8,
			.buckets = trace_modulo(trace_random(&random), 3) ? 0 : 1 + round,
		};
		struct stackdepot_stats stats;
		struct stackdepot *depot;

		CORE_EQ(depot_create(&options, &depot), 0);
		stats = core_stats(depot);
		CORE_TRUE(stats.mapped_bytes <= options.max_bytes);
		CORE_TRUE(stats.mapped_bytes + 4 * CORE_PAGE + 256 > options.max_bytes);
		CORE_TRUE(stats.lines * TRACE_LINE_BYTES + stats.buckets * 8 + stats.ring_bytes <
			  stats.mapped_bytes);
		core_finish(test, depot);
	}
}

static void bytes_for_lines_are_enough(core_test *test)
{
	static const unsigned int counts[] = {1, 2, 7, 63, 64, 65, 1000, 4095, 4096, 123456};
	struct stackdepot_options options = {0};
	struct stackdepot *depot;
	unsigned int i;

	for (i = 0; i < 3 * CORE_COUNT(counts); i++) {
		unsigned int lines = counts[i / 3];

		options.ring_entries = i % 3 == 1 ? 100 : 0;
		options.buckets = i % 3 == 2 ? 10 : 0;
		options.max_bytes = depot_bytes_for(lines, &options);
		CORE_NE(options.max_bytes, 0);
		CORE_EQ(depot_create(&options, &depot), 0);
		CORE_TRUE(core_stats(depot).lines >= lines);
		depot_destroy(depot);
		options.max_bytes -= CORE_PAGE + 80;
		if (depot_create(&options, &depot))
			continue;
		CORE_TRUE(core_stats(depot).lines < lines);
		depot_destroy(depot);
	}
	CORE_EQ(depot_bytes_for(0, NULL), 0);
	CORE_EQ(depot_bytes_for(STACKDEPOT_MAX_LINES + 1, NULL), 0);
	CORE_NE(depot_bytes_for(STACKDEPOT_MAX_LINES, NULL), 0);
	options.buckets = ~0u;
	CORE_EQ(depot_bytes_for(10, &options), 0);
}

/* Equal seeds make equal depots; without one each has its own. Neither changes what is stored. */
static void seeds_change_no_result(core_test *test)
{
	u64 seed;
	unsigned int i;

	for (seed = 0; seed < 10; seed++) {
		struct stackdepot_options options = {.max_bytes = 16 * CORE_PAGE, .seed = seed};
		struct stackdepot *depot;

		CORE_EQ(depot_create(&options, &depot), 0);
		for (i = 0; i < 50; i++) {
			u32 handle = core_save_own(depot, i, 20, 0);

			CORE_TRUE(core_has_own(depot, depot_trace_ref(depot, handle), i, 20));
		}
		core_finish(test, depot);
	}
}

static void destroying_nothing_is_fine(core_test *test)
{
	(void)test;
	depot_destroy(NULL);
}

CORE_SUITE(options, CORE_CASE(options_out_of_range_are_refused),
	   CORE_CASE(the_limits_themselves_are_fine), CORE_CASE(small_budgets_work_or_are_refused),
	   CORE_CASE(the_bound_covers_everything), CORE_CASE(bytes_for_lines_are_enough),
	   CORE_CASE(seeds_change_no_result), CORE_CASE(destroying_nothing_is_fine));
