// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* kernel.c - the interface of <linux/stackdepot.h>: contexts, the user's bits, counters. */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/irq_work.h>
#include <linux/preempt.h>
#include <linux/spinlock.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>

#include "core_test.h"
#include "full.h"
#include "glue.h"
#include "nmi.h"

/* What was saved, and where. */
struct saved {
	depot_stack_handle_t handle;
	unsigned long frames[64];
	unsigned int nr;
	bool irqs_off, in_irq, in_nmi;
	bool done;
};

/* Allocating is allowed as far as the depot finds that it can be done here. */
static noinline void save_here(void *data)
{
	struct saved *saved = data;

	saved->irqs_off = irqs_disabled();
	saved->in_irq = in_hardirq();
	saved->in_nmi = in_nmi();
	saved->nr = stack_trace_save(saved->frames, ARRAY_SIZE(saved->frames), 0);
	saved->handle = stack_depot_save_flags(saved->frames, saved->nr, GFP_ATOMIC,
					       STACK_DEPOT_FLAG_CAN_ALLOC | STACK_DEPOT_FLAG_GET);
	/* Pairs with run_in_nmi(), which waits for what was saved. */
	smp_store_release(&saved->done, true);
}

static bool run_in_task(struct saved *saved)
{
	save_here(saved);
	return true;
}

static bool run_locked(struct saved *saved)
{
	static DEFINE_RAW_SPINLOCK(lock);
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	save_here(saved);
	raw_spin_unlock_irqrestore(&lock, flags);
	return true;
}

struct saving_work {
	struct irq_work work;
	struct saved *saved;
};

static void work_saves(struct irq_work *work)
{
	save_here(container_of(work, struct saving_work, work)->saved);
}

static bool run_in_interrupt(struct saved *saved)
{
	struct saving_work work = {.work = IRQ_WORK_INIT_HARD(work_saves), .saved = saved};

	irq_work_queue(&work.work);
	irq_work_sync(&work.work);
	return true;
}

static bool run_in_nmi(struct saved *saved)
{
	unsigned int ms;

	if (!nmi_open(save_here, saved))
		return false;
	nmi_raise();
	/* Pairs with save_here(). */
	for (ms = 0; ms < 1000 && !smp_load_acquire(&saved->done); ms++)
		usleep_range(1000, 2000);
	nmi_close();
	return true;
}

static const struct context {
	const char *desc;
	bool (*run)(struct saved *saved); /* false if there is no such context */
	bool irqs_off, in_irq, in_nmi;
} contexts[] = {
	{"task", run_in_task},
	{"raw spinlock", run_locked, .irqs_off = true},
	{"interrupt", run_in_interrupt, .irqs_off = true, .in_irq = true},
	{"NMI", run_in_nmi, .irqs_off = true, .in_irq = true, .in_nmi = true},
};

KUNIT_ARRAY_PARAM_DESC(context, contexts, desc);

/* An empty trace has no handle; where the stack can be walked it is none. */
static void skip_without_frames(struct kunit *test, const struct saved *saved)
{
	bool walks = IS_ENABLED(CONFIG_FRAME_POINTER) || IS_ENABLED(CONFIG_UNWINDER_ORC) ||
		     IS_ENABLED(CONFIG_ARM64);

	KUNIT_ASSERT_EQ(test, saved->handle, 0);
	if (walks && !IS_ENABLED(CONFIG_UML))
		KUNIT_ASSERT_NE(test, saved->nr, 0);
	kunit_skip(test, "the stack has no frames");
}

/* Of what an interrupt saves the frames outside of its entry are left out. */
static void what_a_context_saves_a_task_fetches(struct kunit *test)
{
	const struct context *context = test->param_value;
	struct saved *saved = kunit_kzalloc(test, sizeof(*saved), GFP_KERNEL);
	unsigned long frames[64];
	unsigned int nr;

	KUNIT_ASSERT_NOT_NULL(test, saved);
	if (!context->run(saved))
		kunit_skip(test, "no NMIs to be had");
	KUNIT_ASSERT_TRUE(test, saved->done);
	/* A test that is skipped afterwards has not failed, unless it ended here. */
	KUNIT_ASSERT_EQ(test, saved->irqs_off, context->irqs_off);
	KUNIT_ASSERT_EQ(test, saved->in_irq, context->in_irq);
	KUNIT_ASSERT_EQ(test, saved->in_nmi, context->in_nmi);
	if (!saved->nr)
		skip_without_frames(test, saved);
	KUNIT_ASSERT_NE(test, saved->handle, 0);
	nr = stack_depot_fetch_into(saved->handle, frames, ARRAY_SIZE(frames));
	KUNIT_EXPECT_GT(test, nr, 0);
	KUNIT_EXPECT_LE(test, nr, saved->nr);
	KUNIT_EXPECT_MEMEQ(test, frames, saved->frames, nr * sizeof(*frames));
	stack_depot_put(saved->handle);
}

static void extra_bits_are_the_users(struct kunit *test)
{
	unsigned long frames[3] = {0x11223344, 0x55667788, 0x99aabbcc}, fetched[3];
	depot_stack_handle_t handle;
	unsigned int bits;

	handle = stack_depot_save(frames, 3, GFP_KERNEL);
	KUNIT_ASSERT_NE(test, handle, 0);
	KUNIT_EXPECT_EQ(test, stack_depot_get_extra_bits(handle), 0);
	for (bits = 0; bits < 1 << STACK_DEPOT_EXTRA_BITS; bits++) {
		depot_stack_handle_t marked = stack_depot_set_extra_bits(handle, bits);

		KUNIT_EXPECT_EQ(test, stack_depot_get_extra_bits(marked), bits);
		KUNIT_EXPECT_EQ(test, stack_depot_fetch_into(marked, fetched, 3), 3);
		KUNIT_EXPECT_MEMEQ(test, frames, fetched, sizeof(frames));
	}
}

static void counters_count(struct kunit *test)
{
	unsigned long frames[2] = {0x12345678, 0x9abcdef0};
	depot_stack_handle_t handle;

	handle = stack_depot_save(frames, 2, GFP_KERNEL);
	KUNIT_ASSERT_NE(test, handle, 0);
	KUNIT_EXPECT_EQ(test, stack_depot_count(handle), 0);
	if (glue_bytes() + 3 * PAGE_SIZE > glue_max_bytes())
		kunit_skip(test, "the bound leaves no room for counters");
	KUNIT_EXPECT_EQ(test, stack_depot_count_add(handle, 7, GFP_KERNEL), 1);
	KUNIT_EXPECT_EQ(test, stack_depot_count_add(handle, -4, 0), 0);
	KUNIT_EXPECT_EQ(test, stack_depot_count(handle), 3);
	KUNIT_EXPECT_EQ(test, stack_depot_count_add(handle, -3, 0), 0);
	KUNIT_EXPECT_EQ(test, stack_depot_fetch_into(handle, frames, 1), 0);
	KUNIT_EXPECT_EQ(test, stack_depot_fetch_into(handle, frames, 2), 2);
}

static struct kunit_case kernel_cases[] = {
	KUNIT_CASE_PARAM(what_a_context_saves_a_task_fetches, context_gen_params),
	KUNIT_CASE(extra_bits_are_the_users),
	KUNIT_CASE(counters_count),
	{},
};

static struct kunit_suite kernel_suite = {
	.name = "stackdepot_kernel",
	.init = full_init,
	.test_cases = kernel_cases,
};

kunit_test_suite(kernel_suite);
