/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * core_test.h - the few words that core_*.c are written in, on top of cmocka here and of KUnit in a
 * kernel. Those files use nothing else beside the public header and trace.h.
 */
#ifndef TESTS_CORE_TEST_H
#define TESTS_CORE_TEST_H

#include "trace.h"

#ifdef __KERNEL__
#include <kunit/test.h>
#include <linux/sched.h>
#include <linux/string.h>

typedef struct kunit core_test;
/* Under checkers a test takes half a minute: the CPU is not to look as if it hung. */
#define CORE_CHECK(check)       \
	do {                    \
		cond_resched(); \
		check;          \
	} while (0)
#define CORE_EQ(a, b) CORE_CHECK(KUNIT_ASSERT_EQ(test, (long long)(a), (long long)(b)))
#define CORE_NE(a, b) CORE_CHECK(KUNIT_ASSERT_NE(test, (long long)(a), (long long)(b)))
#define CORE_TRUE(condition) CORE_CHECK(KUNIT_ASSERT_TRUE(test, condition))
#define CORE_CASE(function) KUNIT_CASE(function)
#define CORE_SUITE(suite, ...)                                        \
	static struct kunit_case suite##_cases[] = {__VA_ARGS__, {}}; \
	static struct kunit_suite suite##_suite = {                   \
		.name = "stackdepot_" #suite,                         \
		.test_cases = suite##_cases,                          \
	};                                                            \
	kunit_test_suite(suite##_suite)
#else
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef void *core_test;
#define CORE_EQ(a, b) ((void)test, assert_int_equal((long long)(a), (long long)(b)))
#define CORE_NE(a, b) ((void)test, assert_int_not_equal((long long)(a), (long long)(b)))
#define CORE_TRUE(condition) ((void)test, assert_true(condition))
#define CORE_CASE(function) cmocka_unit_test(function)
#define CORE_SUITE(suite, ...)                                                               \
	int main(void)                                                                       \
	{                                                                                    \
		const struct CMUnitTest tests[] = {__VA_ARGS__};                             \
                                                                                             \
		return cmocka_run_group_tests_name("stackdepot_" #suite, tests, NULL, NULL); \
	}                                                                                    \
	_Static_assert(1, "takes the semicolon")
#endif

#define CORE_COUNT(array) ((unsigned int)(sizeof(array) / sizeof(*(array))))

/* A depot of at most `lines` lines, a fixed seed and the given length of a lease. */
static inline struct stackdepot *core_depot(core_test *test, unsigned int lines,
					    unsigned int buckets, unsigned int lease_ticks)
{
	struct stackdepot_options options = {.lines = lines, .buckets = buckets, .seed = 1};
	struct stackdepot *depot = NULL;

	options.max_bytes = stackdepot_bytes_for(lines, &options);
	options.max_frames = STACKDEPOT_MAX_FRAMES;
	options.lease_ticks = lease_ticks;
	CORE_EQ(stackdepot_create(&options, &depot), 0);
	return depot;
}

static inline struct stackdepot_stats core_stats(struct stackdepot *depot)
{
	struct stackdepot_stats stats;

	stackdepot_get_stats(depot, &stats);
	return stats;
}

/* Save one frame, a trace of one line. */
static inline stackdepot_handle_t core_save1(struct stackdepot *depot, uintptr_t frame,
					     unsigned int flags)
{
	return stackdepot_save(depot, &frame, 1, flags);
}

#define CORE_OWN_FRAMES (8 * TRACE_LINE)

/* Save `nr` frames that nobody else saves, made from `key`. */
static inline stackdepot_handle_t core_save_own(struct stackdepot *depot, uintptr_t key,
						unsigned int nr, unsigned int flags)
{
	uintptr_t frames[CORE_OWN_FRAMES];
	unsigned int i;

	for (i = 0; i < nr; i++)
		frames[i] = key << 8 | i;
	return stackdepot_save(depot, frames, nr, flags);
}

/* Is what core_save_own() saved there, frame by frame? */
static inline bool core_has_own(struct stackdepot *depot, stackdepot_ref_t ref, uintptr_t key,
				unsigned int nr)
{
	uintptr_t frames[CORE_OWN_FRAMES];
	unsigned int i;

	if (stackdepot_fetch_ref(depot, ref, frames, CORE_OWN_FRAMES) != (int)nr)
		return false;
	for (i = 0; i < nr; i++)
		if (frames[i] != (key << 8 | i))
			return false;
	return true;
}

static inline void core_expect(core_test *test, struct stackdepot *depot,
			       stackdepot_handle_t handle, const uintptr_t *frames, unsigned int nr)
{
	static uintptr_t fetched[STACKDEPOT_MAX_FRAMES];

	memset(fetched, 0, sizeof(fetched));
	CORE_EQ(stackdepot_fetch(depot, handle, fetched, STACKDEPOT_MAX_FRAMES), nr);
	CORE_EQ(memcmp(fetched, frames, nr * sizeof(*frames)), 0);
}

/* Lines not pinned by anything: how many one-line traces can be pinned at once. */
static inline unsigned int core_count_free(struct stackdepot *depot, uintptr_t key)
{
	unsigned int i, nr = 0;

	while (core_save1(depot, key << 20 | nr, STACKDEPOT_GET))
		nr++;
	for (i = 0; i < nr; i++)
		(void)stackdepot_put(depot, core_save1(depot, key << 20 | i, 0));
	return nr;
}

static inline void core_finish(core_test *test, struct stackdepot *depot)
{
	CORE_EQ(stackdepot_check(depot), 0);
	stackdepot_destroy(depot);
}

#endif
