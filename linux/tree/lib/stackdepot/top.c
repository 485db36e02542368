// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * top.c - who fills the depot.
 *
 * Traces that begin alike, by a thread's start or a system call, share the line of their outermost
 * frames. Lines are counted by that line, and those with the most are shown. The depot goes on
 * meanwhile, so the numbers are those of no single moment; but lines are counted, and frames shown,
 * only of the life of a line that both were found in.
 */
#include <linux/seq_file.h>

#include "glue.h"
#include "hold.h"
#include "walk.h"

#define TOP_SHOWN 5

struct top_count {
	u32 lines;
	u32 generation; /* of the outermost line, in the life that they are counted for */
};

/* Is anything live in the line? Then *ret_ref is its life. */
static bool top_life(struct stackdepot *depot, u32 number, u64 *ret_ref)
{
	struct depot_line *line = depot_line(depot, number);
	u64 link = atomic64_read_acquire(&line->link);

	*ret_ref = depot_ref(number, link);
	return !(link & LINK_DEAD) && atomic64_read_acquire(&line->state) & STATE_LIVE;
}

/* Count a line for the outermost one above it, unless it goes away meanwhile. */
static void top_count_line(struct stackdepot *depot, u32 number, u32 used, struct top_count *counts)
{
	struct top_count *count;
	struct depot_walk walk;
	u64 ref;
	int nr;

	if (!top_life(depot, number, &ref) || depot_walk_begin(depot, ref, &walk))
		return;
	do
		nr = depot_walk_next(depot, &walk, NULL);
	while (nr > 0);
	if (nr || (u32)walk.run > used)
		return;
	count = &counts[(u32)walk.run];
	if (count->generation != walk.run >> 32)
		*count = (struct top_count){.generation = walk.run >> 32};
	count->lines++;
}

static void top_show_line(struct seq_file *seq, struct stackdepot *depot, u32 number,
			  const struct top_count *count)
{
	uintptr_t frames[DEPOT_GROUP];
	struct depot_walk walk;
	int i, nr = depot_walk_begin(depot, (u64)count->generation << 32 | number, &walk);

	if (!nr)
		nr = depot_walk_next(depot, &walk, frames);
	if (nr <= 0)
		return; /* evicted */
	seq_printf(seq, "top: %u lines below\n", count->lines);
	for (i = 0; i < nr; i++)
		seq_printf(seq, "    %pS\n", (void *)frames[i]);
}

void glue_show_top(struct seq_file *seq, struct stackdepot *depot)
{
	/* Could be weaker: what it leads to is validated by generation. */
	const u32 used = smp_load_acquire(&depot->header->fresh);
	const size_t bytes = (used + 1ul) * sizeof(struct top_count);
	struct top_count *counts = depot_scratch_get(bytes);
	u32 number, shown;

	if (!counts)
		return;
	for (number = 1; number <= used; number++)
		top_count_line(depot, number, used, counts);
	for (shown = 0; shown < TOP_SHOWN; shown++) {
		u32 most = 0;

		for (number = 1; number <= used; number++)
			if (counts[number].lines > counts[most].lines)
				most = number;
		if (!most)
			break;
		top_show_line(seq, depot, most, &counts[most]);
		counts[most].lines = 0;
	}
	depot_scratch_put(counts, bytes);
}
