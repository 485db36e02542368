// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test_nmi.c - the kernel's depot where 64-bit atomics take a lock, as lib/atomic64.c does.
 *
 * An NMI may have come while the lock was held, so it may not even look at the depot: it is
 * refused, and that is counted. Everybody else finds the depot as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control.h"

#define GET 2u

unsigned int stack_depot_save_flags(unsigned long *entries, unsigned int nr, unsigned int gfp,
				    unsigned int flags);
unsigned int stack_depot_fetch_into(unsigned int handle, unsigned long *entries, unsigned int size);
int stack_depot_snprint(unsigned int handle, char *buf, size_t size, int spaces);
void stack_depot_put(unsigned int handle);
int stack_depot_count_add(unsigned int handle, long delta, unsigned int gfp);
void stack_depot_clock(unsigned long long tick);
int stack_depot_init(void);

static unsigned long frames[3] = {0x81000010, 0x81000020, 0x81000030};

static long stat(const char *name)
{
	char text[4096] = "\n", line[64];
	const char *found;

	fake_read_stats(text + 1, sizeof(text) - 1);
	(void)snprintf(line, sizeof(line), "\n%s: ", name);
	found = strstr(text, line);
	assert_non_null(found);
	return strtol(found + strlen(line), NULL, 10);
}

static void an_nmi_touches_nothing(void **state)
{
	unsigned long copy[3];
	unsigned int handle, i;
	char text[100];

	(void)state;
	assert_int_equal(stack_depot_init(), 0);
	fake_late_initcalls();
	handle = stack_depot_save_flags(frames, 3, 0, GET);
	assert_int_not_equal(handle, 0);
	assert_int_equal(stat("drops_nmi"), 0);
	fake_in_nmi = true;
	for (i = 0; i < 3; i++)
		assert_int_equal(stack_depot_save_flags(frames, 3 - i, 0, 0), 0);
	assert_int_equal(stack_depot_fetch_into(handle, copy, 3), 0);
	assert_int_equal(stack_depot_snprint(handle, text, sizeof(text), 0), 0);
	assert_true(stack_depot_count_add(handle, 1, 0) < 0);
	stack_depot_clock(1000);
	stack_depot_put(handle);
	fake_in_nmi = false;
	assert_int_equal(stat("drops_nmi"), 3 + 5);
	assert_int_equal(stat("drops_early"), 0);
	assert_int_equal(stat("saved"), 1);
	assert_int_equal(stat("clock"), 0);
	assert_int_equal(stack_depot_fetch_into(handle, copy, 3), 3);
	assert_memory_equal(copy, frames, sizeof(frames));
	/* The reference is still there to be given back, once. */
	stack_depot_put(handle);
	assert_int_equal(fake_warnings, 0);
	stack_depot_put(handle);
	assert_int_equal(fake_warnings, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(an_nmi_touches_nothing)};

	return cmocka_run_group_tests_name("linux_nmi", tests, NULL, NULL);
}
