/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* core_host.h - cmocka for core_test.h. */
#ifndef TESTS_CORE_HOST_H
#define TESTS_CORE_HOST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "api.h"

/* A port's page: what the bytes of a depot are a multiple of, or less. */
#ifndef CORE_PAGE
#define CORE_PAGE 4096u
#endif

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
