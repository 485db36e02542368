// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* kernel.c - the depot on several CPUs and in interrupts at once. */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/smp.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>

#include "core_test.h"
#include "glue.h"
#include "memory.h"

#define CHURN_FRAMES 40
#define CHURN_SAVES 4000
#define CHURN_BYTES 65536
#define CHURN_THREADS 8

struct churn {
	struct stackdepot *depot;
	atomic_t running;
	atomic_t wrong;	  /* a handle that named another trace than the one it was given for */
	atomic_t refused; /* saves */
	atomic_t turn;	  /* of the interrupts */
	struct completion done;
};

/* Save, fetch, compare, give back. */
static void churn_once(struct churn *churn, u64 id)
{
	uintptr_t frames[CHURN_FRAMES], fetched[CHURN_FRAMES];
	unsigned int nr = trace_make(id, CHURN_FRAMES, frames);
	stackdepot_handle_t handle = stackdepot_save(churn->depot, frames, nr, STACKDEPOT_GET);

	if (!handle) {
		atomic_inc(&churn->refused);
		return;
	}
	if (stackdepot_fetch(churn->depot, handle, fetched, CHURN_FRAMES) != (int)nr ||
	    memcmp(frames, fetched, nr * sizeof(*frames)) || stackdepot_put(churn->depot, handle))
		atomic_inc(&churn->wrong);
}

static int churn_thread(void *data)
{
	struct churn *churn = data;
	u64 i, random = (unsigned long)current;

	for (i = 0; i < CHURN_SAVES; i++) {
		churn_once(churn, trace_random(&random) % 2000);
		cond_resched();
	}
	if (atomic_dec_and_test(&churn->running))
		complete(&churn->done);
	return 0;
}

static void churn_interrupt(void *data)
{
	struct churn *churn = data;

	churn_once(churn, (unsigned int)atomic_inc_return(&churn->turn) % 3000);
}

static void the_bound_holds_on_all_cpus(struct kunit *test)
{
	const struct stackdepot_options options = {.max_bytes = CHURN_BYTES, .lease_ticks = 2};
	static struct churn churn;
	unsigned int i;

	memset(&churn, 0, sizeof(churn));
	init_completion(&churn.done);
	KUNIT_ASSERT_EQ(test, stackdepot_create(&options, &churn.depot), 0);
	atomic_set(&churn.running, CHURN_THREADS);
	for (i = 0; i < CHURN_THREADS; i++) {
		struct task_struct *task = kthread_run(churn_thread, &churn, "churn/%u", i);

		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	}
	/* Interrupts in the middle of whatever the threads are doing. */
	while (!wait_for_completion_timeout(&churn.done, 1))
		on_each_cpu(churn_interrupt, &churn, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&churn.wrong), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&churn.refused), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&churn.turn), 0);
	KUNIT_EXPECT_LE(test, linux_bytes(churn.depot), (u64)CHURN_BYTES);
	KUNIT_EXPECT_GT(test, core_stats(churn.depot).evictions, 0ull);
	KUNIT_EXPECT_EQ(test, stackdepot_check(churn.depot), 0);
	stackdepot_destroy(churn.depot);
}

struct interrupted {
	depot_stack_handle_t handle;
	unsigned long frames[64];
	unsigned int nr;
};

static void interrupt_saves(void *data)
{
	struct interrupted *saved = data;

	saved->nr = stack_trace_save(saved->frames, ARRAY_SIZE(saved->frames), 0);
	saved->handle = stack_depot_save_flags(saved->frames, saved->nr, 0, STACK_DEPOT_FLAG_GET);
}

/* What an interrupt saves without allocating ends where the interrupt began. */
static void an_interrupt_saves_and_the_task_fetches(struct kunit *test)
{
	struct interrupted *saved = kunit_kzalloc(test, sizeof(*saved), GFP_KERNEL);
	unsigned long frames[64];
	unsigned int nr;

	KUNIT_ASSERT_NOT_NULL(test, saved);
	KUNIT_ASSERT_EQ(test, stack_depot_init(), 0);
	on_each_cpu(interrupt_saves, saved, 1);
	KUNIT_ASSERT_NE(test, saved->handle, 0);
	nr = stack_depot_fetch_into(saved->handle, frames, ARRAY_SIZE(frames));
	KUNIT_EXPECT_GT(test, nr, 0);
	KUNIT_EXPECT_LE(test, nr, saved->nr);
	KUNIT_EXPECT_MEMEQ(test, frames, saved->frames, nr * sizeof(*frames));
	stack_depot_put(saved->handle);
	if (num_online_cpus() > 1)
		stack_depot_put(stack_depot_save_flags(frames, nr, 0, STACK_DEPOT_FLAG_GET));
}

static void extra_bits_are_the_users(struct kunit *test)
{
	unsigned long frames[3] = {0x11223344, 0x55667788, 0x99aabbcc}, fetched[3];
	depot_stack_handle_t handle;
	unsigned int bits;

	KUNIT_ASSERT_EQ(test, stack_depot_init(), 0);
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

	KUNIT_ASSERT_EQ(test, stack_depot_init(), 0);
	handle = stack_depot_save(frames, 2, GFP_KERNEL);
	KUNIT_ASSERT_NE(test, handle, 0);
	KUNIT_EXPECT_EQ(test, stack_depot_count(handle), 0);
	if (glue_bytes() + 3 * PAGE_SIZE > glue_max_bytes())
		kunit_skip(test, "the bound leaves no room for counters");
	KUNIT_EXPECT_TRUE(test, stack_depot_count_add(handle, 7, GFP_KERNEL));
	KUNIT_EXPECT_FALSE(test, stack_depot_count_add(handle, -4, 0));
	KUNIT_EXPECT_EQ(test, stack_depot_count(handle), 3);
	KUNIT_EXPECT_FALSE(test, stack_depot_count_add(handle, -3, 0));
	KUNIT_EXPECT_EQ(test, stack_depot_fetch_into(handle, frames, 2), 2);
}

static struct kunit_case kernel_cases[] = {
	KUNIT_CASE_SLOW(the_bound_holds_on_all_cpus),
	KUNIT_CASE(an_interrupt_saves_and_the_task_fetches),
	KUNIT_CASE(extra_bits_are_the_users),
	KUNIT_CASE(counters_count),
	{},
};
static struct kunit_suite kernel_suite = {
	.name = "stackdepot_kernel",
	.test_cases = kernel_cases,
};
kunit_test_suite(kernel_suite);
