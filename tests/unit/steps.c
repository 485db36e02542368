/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What can only be told by counting accesses: the core on the test port, one thread. */
#include "core_test.h"

#include "geometry.h"

static unsigned long steps;
static const char *watched; /* a header */
static unsigned int loads[sizeof(struct depot_header) / 4];

static void steps_hook(const void *word, bool write)
{
	size_t at = (size_t)((const char *)word - watched) / 4;

	steps++;
	if (watched && !write && at < CORE_COUNT(loads))
		loads[at]++;
}

/* All lines on one chain, as in a depot with a useless hash. */
static unsigned long steps_of_check(core_test *test, unsigned int lines)
{
	struct stackdepot *depot = core_depot(test, lines, 1, 0);
	unsigned int i;

	for (i = 0; i < lines; i++)
		CORE_NE(core_save1(depot, 0x1000 + 16 * i, 0), 0);
	steps = 0;
	port_test_hook = steps_hook;
	CORE_EQ(stackdepot_check(depot), 0);
	port_test_hook = NULL;
	stackdepot_destroy(depot);
	return steps;
}

static void a_check_is_linear_in_a_chain(core_test *test)
{
	unsigned long small = steps_of_check(test, 200), large = steps_of_check(test, 1600);

	/* 8 times the lines, and a level more of candidates. */
	CORE_TRUE(large < 16 * small);
}

/* A file may be written to while it is attached: what is checked is what is used. */
static void a_header_is_read_once(core_test *test)
{
	static unsigned char block[65536] __attribute__((aligned(64)));
	struct stackdepot_options options = {.max_bytes = 65536, .seed = 1};
	struct depot_header *header = (struct depot_header *)block;
	struct depot_geometry geometry;
	static struct stackdepot depot;
	struct stackdepot_stats stats;
	unsigned int i;

	CORE_EQ(depot_plan(&options, 1, &geometry), 0);
	depot_format(block, &geometry);
	watched = (const char *)block;
	port_test_hook = steps_hook;
	CORE_EQ(depot_open(&depot, block, sizeof(block)), 0);
	port_test_hook = NULL;
	watched = NULL;
	for (i = 0; i < (offsetof(struct depot_header, geometry) + sizeof(geometry)) / 4; i++) {
		/* Not the second halves of words of 64 bits. */
		if (loads[i])
			CORE_EQ(loads[i], 1);
	}
	CORE_EQ(loads[offsetof(struct depot_header, geometry.lines) / 4], 1);
	CORE_EQ(loads[offsetof(struct depot_header, geometry.total_bytes) / 4], 1);
	header->geometry.max_bytes = 1ull << 60;
	header->geometry.total_bytes = 1ull << 60;
	header->fresh = 1u << 30;
	stackdepot_get_stats(&depot, &stats);
	CORE_EQ(stats.max_bytes, 65536);
	CORE_TRUE(stats.mapped_bytes <= 65536 && stats.used_bytes <= stats.mapped_bytes);
}

/* Without an end: a step for each line that there may be, in each of a few searches. */
#define STEPS_OF_CUT (16 * 100)

static void few_steps_hook(const void *word, bool write)
{
	(void)word;
	(void)write;
	assert_true(++steps < STEPS_OF_CUT);
}

/* As somebody else may have left it: the first line saved is the last of the chain. */
static u64 lead_to_itself(struct stackdepot *depot, u32 handle)
{
	const u32 number = (u32)depot_trace_ref(depot, handle);
	struct depot_line *line = depot->lines + number;

	atomic64_set(&line->link, (atomic64_read(&line->link) & ~LINK_NEXT) | number);
	return atomic64_read(&depot->heads[0]) >> LINK_GENERATION_SHIFT;
}

/* Once, and its lines are found no more. Each change of the head has a version of its own. */
static void a_chain_without_an_end_is_cut(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 100, 1, 0);
	u32 first = core_save1(depot, 0x1000, 0), fresh;
	u64 version;

	CORE_NE(core_save1(depot, 0x2000, 0), 0);
	version = lead_to_itself(depot, first);
	steps = 0;
	port_test_hook = few_steps_hook;
	fresh = core_save1(depot, 0x3000, 0);
	port_test_hook = NULL;
	CORE_NE(fresh, 0);
	CORE_EQ(core_stats(depot).chains_cut, 1);
	CORE_EQ(atomic64_read(&depot->heads[0]) >> LINK_GENERATION_SHIFT, version + 2);
	CORE_EQ(core_save1(depot, 0x3000, 0), fresh);
	CORE_NE(core_save1(depot, 0x1000, 0), first);
	CORE_EQ(core_stats(depot).chains_cut, 1);
	stackdepot_destroy(depot);
}

CORE_SUITE(steps, CORE_CASE(a_check_is_linear_in_a_chain), CORE_CASE(a_header_is_read_once),
	   CORE_CASE(a_chain_without_an_end_is_cut));
