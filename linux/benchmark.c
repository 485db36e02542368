// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * benchmark.c - what a pair of kmalloc() and kfree() costs where the allocator collects stacks, and
 * what the depot's own functions cost.
 *
 * A pair knows nothing of the depot, so it measures any. The stacks are the same again and again,
 * after the first round: nearly every save in a running kernel finds its trace. Traces that are
 * saved for the first time have a few inner frames of their own, as in a kernel.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/stackdepot.h>
#include <linux/string.h>

#define BENCH_PAIRS 20000u
#define BENCH_ROUNDS 3
#define BENCH_TRACES 2000u
#define BENCH_FRAMES 16u
#define BENCH_OWN 6u /* of these, the innermost */

static bool bench_wanted __initdata;

static int __init bench_parse(char *text)
{
	return kstrtobool(text, &bench_wanted);
}
early_param("stackdepot_bench", bench_parse);

static noinline void bench_pair(size_t bytes)
{
	void *object = kmalloc(bytes, GFP_KERNEL);

	/* The compiler may leave out allocations that nobody looks at. */
	OPTIMIZER_HIDE_VAR(object);
	kfree(object);
}

static noinline void bench_deep(unsigned int depth, size_t bytes)
{
	if (depth)
		bench_deep(depth - 1, bytes);
	else
		bench_pair(bytes);
	barrier();
}

static void __init bench_run(unsigned int depth, size_t bytes)
{
	u64 start, end, best = U64_MAX;
	unsigned int i, round;

	for (round = 0; round < BENCH_ROUNDS; round++) {
		start = ktime_get_ns();
		for (i = 0; i < BENCH_PAIRS; i++)
			bench_deep(depth, bytes);
		end = ktime_get_ns();
		best = min(best, end - start);
	}
	pr_info("stackdepot_bench: pair of %zu bytes, %u frames deeper: %llu ns\n", bytes, depth,
		div_u64(best, BENCH_PAIRS));
}

static unsigned long bench_frames[BENCH_FRAMES] __initdata;
static unsigned long bench_fetched[BENCH_FRAMES] __initdata;
static depot_stack_handle_t bench_handles[BENCH_TRACES] __initdata;

static int bench_init(void);

static void __init bench_save(unsigned int trace)
{
	unsigned int i;

	for (i = 0; i < BENCH_OWN; i++)
		bench_frames[i] = (unsigned long)bench_init + 256 * trace + 8 * i;
	bench_handles[trace] = stack_depot_save(bench_frames, BENCH_FRAMES, GFP_KERNEL);
}

/* A trace in the caller's own array, as its users have it. linux/apply looks if the tree copies. */
static void __init bench_fetch(unsigned int trace)
{
#ifdef BENCH_FETCH_INTO
	stack_depot_fetch_into(bench_handles[trace], bench_fetched, BENCH_FRAMES);
#else
	unsigned long *entries;
	unsigned int nr = stack_depot_fetch(bench_handles[trace], &entries);

	memcpy(bench_fetched, entries, min(nr, BENCH_FRAMES) * sizeof(*entries));
#endif
}

static void __init bench_each(const char *what, void (*function)(unsigned int trace))
{
	u64 start = ktime_get_ns();
	unsigned int trace;

	for (trace = 0; trace < BENCH_TRACES; trace++)
		function(trace);
	pr_info("stackdepot_bench: %s, %u frames: %llu ns\n", what, BENCH_FRAMES,
		div_u64(ktime_get_ns() - start, BENCH_TRACES));
}

static void __init bench_depot(void)
{
	unsigned int i;

	for (i = BENCH_OWN; i < BENCH_FRAMES; i++)
		bench_frames[i] = (unsigned long)bench_init + 16 * i;
	bench_each("first save", bench_save);
	bench_each("save of what is there", bench_save);
	bench_each("fetch", bench_fetch);
	if (memcmp(bench_fetched, bench_frames, sizeof(bench_frames)))
		pr_err("stackdepot_bench: another trace was fetched\n");
}

static int __init bench_init(void)
{
	if (!bench_wanted)
		return 0;
	pr_info("stackdepot_bench: boot up to here: %llu ns\n", local_clock());
	bench_run(0, 64);
	bench_run(16, 64);
	bench_depot();
	return 0;
}
late_initcall_sync(bench_init);
