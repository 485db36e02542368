/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* core_host.h - KUnit for core_test.h. */
#ifndef TESTS_CORE_HOST_H
#define TESTS_CORE_HOST_H

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "api.h"

#define CORE_PAGE PAGE_SIZE

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

#endif
