/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* full.h - tests that want a trace of their own in the kernel's depot. */
#ifndef STACKDEPOT_KUNIT_FULL_H
#define STACKDEPOT_KUNIT_FULL_H

#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/stackdepot.h>

#include "glue.h"

#define FULL_FRAMES 24 /* as deep as what tests save */

static inline u64 full_drops(void)
{
	struct stackdepot_stats stats;

	depot_get_stats(glue_depot(), &stats);
	return stats.drops_pinned + stats.drops_no_memory;
}

/*
 * full_init() - skip a test if all that the depot has room for is kept for ever.
 *
 * With generic KASAN and page_owner, whose traces are, a small bound comes to that. The depot has
 * to have counted that it refused a trace, and to have no room for more lines: one that refuses for
 * another reason fails the test.
 */
static inline int full_init(struct kunit *test)
{
	unsigned long frames[FULL_FRAMES];
	unsigned int i;
	u64 drops;

	KUNIT_ASSERT_EQ(test, stack_depot_init(), 0);
	KUNIT_ASSERT_NOT_NULL(test, glue_depot());
	for (i = 0; i < FULL_FRAMES; i++)
		frames[i] = 0x66756c6c + i;
	drops = full_drops();
	if (!stack_depot_save_flags(frames, FULL_FRAMES, GFP_KERNEL,
				    STACK_DEPOT_FLAG_CAN_ALLOC | STACK_DEPOT_FLAG_LEASE) &&
	    full_drops() > drops && glue_bytes() + DEPOT_CHUNK_BYTES > glue_max_bytes())
		kunit_skip(test, "the depot is full of traces kept for ever");
	return 0;
}

#endif
