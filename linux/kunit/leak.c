// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * leak.c - objects lost on purpose, so that kmemleak has stacks to show.
 *
 * Only a scan from user space finds them; linux/boot looks for the stack in what it shows.
 */
#include <kunit/test.h>
#include <linux/slab.h>

#define LEAK_OBJECTS 8
#define LEAK_BYTES 200

static noinline bool leak_lose(void)
{
	void *object = kmalloc(LEAK_BYTES, GFP_KERNEL);
	bool allocated = object;

	OPTIMIZER_HIDE_VAR(object);
	return allocated;
}

/* Several: an address may be left over in a register or on a stack. */
static void objects_are_lost(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < LEAK_OBJECTS; i++)
		KUNIT_EXPECT_TRUE(test, leak_lose());
}

static struct kunit_case leak_cases[] = {
	KUNIT_CASE(objects_are_lost),
	{},
};

static struct kunit_suite leak_suite = {
	.name = "stackdepot_leak",
	.test_cases = leak_cases,
};

kunit_test_suite(leak_suite);
