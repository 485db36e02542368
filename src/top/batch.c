/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* batch.c - rows for scripts, printed again and again. */
#include <stdio.h>

#include "base/pause.h"
#include "base/status.h"
#include "batch.h"
#include "rows.h"
#include "text/output.h"

static void top_print(const struct top *top)
{
	size_t i;

	top_print_header(stdout, top);
	fputs("\n\n", stdout);
	top_print_columns(stdout);
	fputc('\n', stdout);
	for (i = 0; i < top->nr && i < top->limit; i++) {
		top_print_row(stdout, top, &top->rows[i]);
		fputc('\n', stdout);
	}
}

/* Until it was printed so many times, or the process has ended. */
int top_batch(struct top *top)
{
	unsigned int done = 0;

	for (;;) {
		top_print(top);
		if (!output_flush())
			return STATUS_FAILED;
		if (++done == top->times || top->ended)
			return STATUS_CLEAN;
		putchar('\n');
		pause_for(top->interval);
		if (!top_look(top))
			return STATUS_FAILED;
	}
}
