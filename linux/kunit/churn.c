// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * churn.c - the bound, and who has which trace, on several CPUs and in interrupts at once.
 *
 * Threads save, fetch, compare and give back, in a depot too small for what they save. Meanwhile
 * interrupts, or NMIs, do the same in the middle of whatever the threads are doing.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/smp.h>

#include "core_test.h"
#include "memory.h"
#include "nmi.h"

#define CHURN_FRAMES 40
#define CHURN_SAVES 4000
#define CHURN_MOST (100 * CHURN_SAVES)
#define CHURN_BYTES max_t(u64, SZ_64K, 4 * PAGE_SIZE)
#define CHURN_THREADS 8

struct churn;

struct churner {
	struct churn *churn;
	struct task_struct *task;
	bool busy; /* with the depot */
};

struct churn {
	struct stackdepot *depot;
	struct churner churners[CHURN_THREADS];
	atomic_t running;
	atomic_t wrong;	  /* a handle that named another trace than the one it was given for */
	atomic_t refused; /* saves */
	atomic_t turn;	  /* of the interrupts */
	atomic_t nested;  /* interrupts that met somebody busy */
	struct completion done;
};

/* Save, fetch, compare, give back. */
static void churn_once(struct churn *churn, u64 id)
{
	uintptr_t frames[CHURN_FRAMES], fetched[CHURN_FRAMES];
	unsigned int nr = trace_make(id, CHURN_FRAMES, frames);
	u32 handle = depot_save(churn->depot, frames, nr, STACKDEPOT_GET);

	if (!handle) {
		atomic_inc(&churn->refused);
		return;
	}
	if (depot_fetch(churn->depot, handle, fetched, CHURN_FRAMES) != (int)nr ||
	    memcmp(frames, fetched, nr * sizeof(*frames)) || depot_put(churn->depot, handle))
		atomic_inc(&churn->wrong);
}

static int churn_thread(void *data)
{
	struct churner *churner = data;
	struct churn *churn = churner->churn;
	u64 i, random = (unsigned long)current;

	/* With one CPU all may be saved before who raises interrupts has it again. */
	for (i = 0; i < CHURN_SAVES || (i < CHURN_MOST && !atomic_read(&churn->turn)); i++) {
		WRITE_ONCE(churner->busy, true);
		churn_once(churn, trace_modulo(trace_random(&random), 2000));
		WRITE_ONCE(churner->busy, false);
		cond_resched();
	}
	if (atomic_dec_and_test(&churn->running))
		complete(&churn->done);
	return 0;
}

static void churn_interrupt(void *data)
{
	struct churn *churn = data;
	unsigned int i;

	for (i = 0; i < CHURN_THREADS; i++)
		if (READ_ONCE(churn->churners[i].task) == current &&
		    READ_ONCE(churn->churners[i].busy))
			atomic_inc(&churn->nested);
	churn_once(churn, (unsigned int)atomic_inc_return(&churn->turn) % 3000);
}

static void churn_start(struct kunit *test, struct churn *churn)
{
	const struct stackdepot_options options = {.max_bytes = CHURN_BYTES, .lease_ticks = 2};
	unsigned int i;

	memset(churn, 0, sizeof(*churn));
	init_completion(&churn->done);
	KUNIT_ASSERT_EQ(test, depot_create(&options, &churn->depot), 0);
	atomic_set(&churn->running, CHURN_THREADS);
	for (i = 0; i < CHURN_THREADS; i++) {
		struct churner *churner = &churn->churners[i];
		struct task_struct *task;

		churner->churn = churn;
		task = kthread_create(churn_thread, churner, "churn/%u", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		WRITE_ONCE(churner->task, task);
		wake_up_process(task);
	}
}

static void churn_finish(struct kunit *test, struct churn *churn)
{
	KUNIT_EXPECT_EQ(test, atomic_read(&churn->wrong), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&churn->refused), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&churn->turn), 0);
	KUNIT_EXPECT_LE(test, depot_bytes(churn->depot), (u64)CHURN_BYTES);
	KUNIT_EXPECT_GT(test, core_stats(churn->depot).evictions, 0ull);
	KUNIT_EXPECT_EQ(test, depot_check(churn->depot), 0);
	depot_destroy(churn->depot);
}

static void the_bound_holds_on_all_cpus(struct kunit *test)
{
	static struct churn churn;

	churn_start(test, &churn);
	while (!wait_for_completion_timeout(&churn.done, 1))
		on_each_cpu(churn_interrupt, &churn, 1);
	churn_finish(test, &churn);
}

/* Raised on another CPU, NMIs come anywhere in what CPU 0 does, writing into the depot included. */
static void the_bound_holds_under_nmis(struct kunit *test)
{
	static struct churn churn;
	unsigned int other = cpumask_any_but(cpu_online_mask, 0);

	if (other >= nr_cpu_ids)
		kunit_skip(test, "one CPU");
	if (!nmi_open(churn_interrupt, &churn))
		kunit_skip(test, "no NMIs to be had");
	(void)set_cpus_allowed_ptr(current, cpumask_of(other));
	churn_start(test, &churn);
	while (!completion_done(&churn.done)) {
		nmi_raise();
		/* Let the threads get on. */
		udelay(100);
		cond_resched();
	}
	nmi_close();
	KUNIT_EXPECT_GT(test, atomic_read(&churn.nested), 0);
	churn_finish(test, &churn);
}

static struct kunit_case churn_cases[] = {
	KUNIT_CASE_SLOW(the_bound_holds_on_all_cpus),
	KUNIT_CASE_SLOW(the_bound_holds_under_nmis),
	{},
};

static struct kunit_suite churn_suite = {
	.name = "stackdepot_churn",
	.test_cases = churn_cases,
};

kunit_test_suite(churn_suite);
