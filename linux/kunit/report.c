// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * report.c - KASAN's reports name the right stacks, also when the ring has turned.
 *
 * An object is used after it was freed, by a thread of its own, so that KUnit does not take the
 * report for a failure. What KASAN prints is read back from the console.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kasan-enabled.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <trace/events/printk.h>

#include "full.h"
#include "kasan.h"

#define REPORT_BYTES 150
#define REPORT_OTHER_BYTES 1000
#define REPORT_RING (32u << 10) /* entries of KASAN's ring by default */

static struct {
	bool in_alloc, in_free; /* which part of the report is being printed */
	bool reported, alloc_right, free_right, mixed_up;
	unsigned int events; /* to record before, on each CPU */
	atomic_t turning;    /* CPUs that do */
	struct completion turned, done;
} report;

static bool report_has(const char *line, size_t length, const char *text)
{
	return strnstr(line, text, length);
}

static void report_probe(void *unused, const char *line, size_t length)
{
	if (report_has(line, length, "BUG: KASAN:"))
		report.reported = true;
	if (report_has(line, length, "Allocated by task")) {
		report.in_alloc = true;
		report.in_free = false;
	}
	if (report_has(line, length, "Freed by task")) {
		report.in_alloc = false;
		report.in_free = true;
	}
	if (report_has(line, length, "The buggy address")) {
		report.in_alloc = false;
		report.in_free = false;
	}
	if (report_has(line, length, "report_alloc")) {
		report.alloc_right |= report.in_alloc;
		report.mixed_up |= report.in_free;
	}
	if (report_has(line, length, "report_free")) {
		report.free_right |= report.in_free;
		report.mixed_up |= report.in_alloc;
	}
}

static noinline void *report_alloc(size_t bytes)
{
	void *object = kmalloc(bytes, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(object);
	return object;
}

static noinline void report_free(void *object)
{
	kfree(object);
	barrier();
}

/* Other objects of another size, so that the one in question is not handed out again. */
static noinline void report_turn(unsigned int events)
{
	unsigned int i;

	for (i = 0; i < events; i += 2) {
		void *other = kmalloc(REPORT_OTHER_BYTES, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(other);
		kfree(other);
		cond_resched();
	}
}

/* A report turns hardware's checks off, on the CPU it was made on. */
static void report_use(char *object)
{
	migrate_disable();
	(void)READ_ONCE(*object);
	kasan_enable_hw_tags();
	migrate_enable();
}

static int report_turner(void *unused)
{
	report_turn(report.events);
	if (atomic_dec_and_test(&report.turning))
		complete(&report.turned);
	return 0;
}

/* All CPUs write to the ring at once. */
static int report_turn_on_all_cpus(void)
{
	unsigned int cpu;
	int error = 0;

	/* One is counted for the loop. */
	atomic_set(&report.turning, 1);
	for_each_online_cpu(cpu) {
		struct task_struct *task =
			kthread_create_on_cpu(report_turner, NULL, cpu, "report/%u");

		error = PTR_ERR_OR_ZERO(task);
		if (error)
			break;
		atomic_inc(&report.turning);
		wake_up_process(task);
	}
	if (!atomic_dec_and_test(&report.turning))
		wait_for_completion(&report.turned);
	return error;
}

static int report_thread(void *unused)
{
	char *object = report_alloc(REPORT_BYTES);

	if (object) {
		report_turn(100);
		report_free(object);
		report_turn(100);
		report_use(object);
	}
	complete(&report.done);
	return 0;
}

static void report_run(struct kunit *test, unsigned int events)
{
	struct task_struct *task;

	if (!kasan_enabled())
		kunit_skip(test, "KASAN is off");
	memset(&report, 0, sizeof(report));
	report.events = events;
	init_completion(&report.turned);
	init_completion(&report.done);
	if (events)
		KUNIT_ASSERT_EQ(test, report_turn_on_all_cpus(), 0);
	KUNIT_ASSERT_EQ(test, register_trace_console(report_probe, NULL), 0);
	task = kthread_run(report_thread, NULL, "report");
	if (!IS_ERR(task))
		wait_for_completion(&report.done);
	unregister_trace_console(report_probe, NULL);
	tracepoint_synchronize_unregister();
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	KUNIT_EXPECT_TRUE(test, report.reported);
	KUNIT_EXPECT_TRUE(test, report.alloc_right);
	KUNIT_EXPECT_TRUE(test, report.free_right);
	KUNIT_EXPECT_FALSE(test, report.mixed_up);
}

static void a_report_names_both_stacks(struct kunit *test)
{
	report_run(test, 0);
}

static void a_report_after_the_ring_turned_eight_times(struct kunit *test)
{
	report_run(test, 8 * REPORT_RING / num_online_cpus());
}

static struct kunit_case report_cases[] = {
	KUNIT_CASE(a_report_names_both_stacks),
	KUNIT_CASE_SLOW(a_report_after_the_ring_turned_eight_times),
	{},
};

static struct kunit_suite report_suite = {
	.name = "stackdepot_kasan",
	.init = full_init,
	.test_cases = report_cases,
};

kunit_test_suite(report_suite);
