/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* full.h - tests that want a trace of their own in the kernel's depot. */
#ifndef STACKDEPOT_KUNIT_FULL_H
#define STACKDEPOT_KUNIT_FULL_H

#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/stackdepot.h>

#include "glue.h"

static inline u64 full_drops(void)
{
	struct stackdepot_stats stats;

	stackdepot_get_stats(glue_depot(), &stats);
	return stats.drops_pinned;
}

/*
 * full_init() - skip a test if all that the depot has room for is kept for ever.
 *
 * With generic KASAN, whose traces are, a small bound comes to that. The depot has to have counted
 * that it refused a trace: one that refuses for another reason fails the test.
 */
static inline int full_init(struct kunit *test)
{
	unsigned long frame = 0x66756c6c;
	u64 drops;

	KUNIT_ASSERT_EQ(test, stack_depot_init(), 0);
	KUNIT_ASSERT_NOT_NULL(test, glue_depot());
	drops = full_drops();
	if (!stack_depot_save_flags(&frame, 1, GFP_KERNEL,
				    STACK_DEPOT_FLAG_CAN_ALLOC | STACK_DEPOT_FLAG_LEASE) &&
	    full_drops() > drops)
		kunit_skip(test, "the depot is full of traces kept for ever");
	return 0;
}

#endif
