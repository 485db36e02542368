// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * benchmark.c - what a pair of kmalloc() and kfree() costs where the allocator collects stacks.
 *
 * Knows nothing of the depot, so that it measures any. The stacks are the same again and again,
 * after the first round: nearly every save in a running kernel finds its trace.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>

#define BENCH_PAIRS 20000u
#define BENCH_ROUNDS 3

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

static int __init bench_init(void)
{
	if (!bench_wanted)
		return 0;
	pr_info("stackdepot_bench: boot up to here: %llu ns\n", local_clock());
	bench_run(0, 64);
	bench_run(16, 64);
	return 0;
}
late_initcall_sync(bench_init);
