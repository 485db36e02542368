// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * top.c - who fills the depot.
 *
 * Traces that begin alike, by a thread's start or a system call, share the line of their outermost
 * frames. Lines are counted by that line, and those with the most are shown. The depot goes on
 * meanwhile, so the numbers are those of no single moment.
 */
#include <linux/seq_file.h>

#include "glue.h"
#include "run.h"

#define TOP_SHOWN 5

/* The outermost line above `number`; 0 if there is none, any more. */
static u32 top_outermost(struct stackdepot *depot, u32 number, u32 used)
{
	u32 depth;

	for (depth = 0; depth < 2 * DEPOT_MAX_GROUPS; depth++) {
		u64 state = port_load_relaxed(&port_line(depot, number)->state);

		if (!(state & STATE_LIVE))
			return 0;
		if (!state_parent(state))
			return number;
		number = state_parent(state);
		if (number > used)
			return 0;
	}
	return 0;
}

static void top_show_line(struct seq_file *seq, struct stackdepot *depot, u32 number, u32 lines)
{
	struct depot_line *line = port_line(depot, number);
	u64 state = port_load_relaxed(&line->state);
	u32 i;

	seq_printf(seq, "top: %u lines below\n", lines);
	for (i = 0; i < state_count(state); i++)
		seq_printf(seq, "    %pS\n", (void *)run_frame(line, state, i));
}

void glue_show_top(struct seq_file *seq, struct stackdepot *depot)
{
	const u32 used = port_load_acquire(&depot->header->fresh);
	const size_t bytes = (used + 1ul) * sizeof(u32);
	u32 *lines = port_scratch_get(bytes);
	u32 number, shown;

	if (!lines)
		return;
	for (number = 1; number <= used; number++)
		lines[top_outermost(depot, number, used)]++;
	lines[0] = 0;
	for (shown = 0; shown < TOP_SHOWN; shown++) {
		u32 most = 0;

		for (number = 1; number <= used; number++)
			if (lines[number] > lines[most])
				most = number;
		if (!most)
			break;
		top_show_line(seq, depot, most, lines[most]);
		lines[most] = 0;
	}
	port_scratch_put(lines, bytes);
}
