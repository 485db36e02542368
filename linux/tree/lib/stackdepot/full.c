// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * full.c - a depot that refuses saves says so once, with who fills it and which parameter helps.
 *
 * Said in whatever context the first save is refused, so nothing is allocated, and of the lines
 * only some are looked at. The innermost frames of the traces tell who saved them: page_owner,
 * KASAN and others each save from few places.
 */
#define pr_fmt(fmt) "stackdepot: " fmt

#include <linux/atomic.h>
#include <linux/printk.h>

#include "glue.h"
#include "memory.h"
#include "walk.h"

#define FULL_SAMPLES 128
#define FULL_CALLERS 8
#define FULL_SHOWN 3

struct full_caller {
	uintptr_t frame;
	u32 traces;
};

/* The innermost frame of the trace in this line, 0 if there is none. */
static uintptr_t full_frame(struct stackdepot *depot, u32 number)
{
	struct depot_line *line = depot_line(depot, number);
	u64 link = atomic64_read_acquire(&line->link);
	uintptr_t frames[DEPOT_GROUP];
	struct depot_walk walk;

	if (!(atomic64_read_acquire(&line->state) & STATE_TRACE) ||
	    depot_walk_begin(depot, depot_ref(number, link), &walk) ||
	    depot_walk_next(depot, &walk, frames) <= 0)
		return 0;
	return frames[0];
}

static void full_count(struct full_caller *callers, uintptr_t frame)
{
	u32 i;

	for (i = 0; i < FULL_CALLERS; i++)
		if (!callers[i].traces || callers[i].frame == frame) {
			callers[i].frame = frame;
			callers[i].traces++;
			return;
		}
}

/* Traces out of so many lines, evenly spread; how many. */
static u32 full_sample(struct stackdepot *depot, struct full_caller *callers)
{
	const u32 used = READ_ONCE(depot->header->fresh);
	u32 i, traces = 0;

	for (i = 0; i < FULL_SAMPLES; i++) {
		uintptr_t frame = full_frame(depot, 1 + (u32)((u64)i * used / FULL_SAMPLES));

		if (frame) {
			full_count(callers, frame);
			traces++;
		}
	}
	return traces;
}

static struct full_caller *full_most(struct full_caller *callers)
{
	struct full_caller *most = callers;
	u32 i;

	for (i = 1; i < FULL_CALLERS; i++)
		if (callers[i].traces > most->traces)
			most = &callers[i];
	return most;
}

void glue_refused(struct stackdepot *depot)
{
	static atomic_t said;
	struct full_caller callers[FULL_CALLERS] = {};
	u32 shown, traces;

	if (likely(atomic_read(&said)) || !depot_is_full(depot) || atomic_xchg(&said, 1))
		return;
	pr_warn("full: its %llu bytes hold traces that are kept or referenced, saves are refused\n",
		glue_max_bytes());
	pr_warn("stack_depot_max_bytes= gives it more; stackdepot/stats counts refusals\n");
	traces = full_sample(depot, callers);
	for (shown = 0; shown < FULL_SHOWN; shown++) {
		struct full_caller *most = full_most(callers);

		if (!most->traces)
			break;
		pr_warn("%u of %u traces looked at are by %pS\n", most->traces, traces,
			(void *)most->frame);
		most->traces = 0;
	}
}
