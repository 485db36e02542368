/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* rows.c - what `stackdepot top` shows: sums and rates by stack. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "rows.h"
#include "text/number.h"

#define FUNCTIONS_SHOWN 12
#define END_SECONDS 3.0 /* that a process can be gone, and nobody has said how it ended */

const char *const top_order_names[TOP_ORDERS] = {"live", "objects", "growth", "alloc", "count"};
const char *const top_order_texts[TOP_ORDERS] = {"live bytes", "live objects", "growth",
						 "bytes allocated", "objects allocated"};

static double top_value(const struct top_row *row, enum top_order order)
{
	switch (order) {
	case TOP_BY_LIVE_OBJECTS:
		return row->now->sums.objects;
	case TOP_BY_GROWTH:
		return row->growth;
	case TOP_BY_ALLOC_BYTES:
		return row->alloc_bytes;
	case TOP_BY_ALLOCS:
		return row->allocs;
	default:
		return row->now->sums.bytes;
	}
}

/* A trace that was evicted and came again counts from 0. */
static double top_counted(double now, double before)
{
	return now >= before ? now - before : now;
}

static struct top_row top_row(const struct top *top, const struct snapshot_stack *now)
{
	const struct snapshot_stack nothing = {0};
	const struct snapshot_stack *before = snapshot_find(&top->before, now->id);
	struct top_row row = {.now = now};

	if (!before)
		before = &nothing;
	if (top->seconds > 0) {
		const struct profile_sums *to = &now->sums, *from = &before->sums;

		row.growth = (to->bytes - from->bytes) / top->seconds;
		row.alloc_bytes = top_counted(to->alloc_bytes, from->alloc_bytes) / top->seconds;
		row.allocs = top_counted(to->allocs, from->allocs) / top->seconds;
	}
	row.value = top_value(&row, top->order);
	return row;
}

static int top_compare(const void *a, const void *b)
{
	const struct top_row *left = a, *right = b;

	if (left->value != right->value)
		return left->value < right->value ? 1 : -1;
	if (left->now->sums.bytes != right->now->sums.bytes)
		return left->now->sums.bytes < right->now->sums.bytes ? 1 : -1;
	return left->now->id < right->now->id ? -1 : left->now->id > right->now->id;
}

/* --- the filter: a text in the function, file or module of any frame ---------------------------
 */

static bool top_has(const char *text, const char *wanted)
{
	return text && strcasestr(text, wanted);
}

static bool top_frame_matches(const struct symbol_frame *frame, const char *wanted)
{
	size_t i;

	for (i = 0; i < frame->nr; i++)
		if (top_has(frame->lines[i].function, wanted) ||
		    top_has(frame->lines[i].file, wanted))
			return true;
	return frame->in && top_has(frame->in->path, wanted);
}

static bool top_matches(const struct top *top, const struct profile_stack *stack)
{
	unsigned int i;

	if (!top->filter[0])
		return true;
	for (i = 0; i < stack->trace.nr; i++)
		if (top_frame_matches(symbols_frame(stack->trace.frames[i]), top->filter))
			return true;
	return false;
}

void top_select(struct top *top)
{
	size_t i;

	free(top->rows);
	top->nr = 0;
	top->rows = memory_alloc(top->now.nr * sizeof(*top->rows));
	for (i = 0; i < top->now.nr; i++)
		if (top_matches(top, top->now.stacks[i].stack))
			top->rows[top->nr++] = top_row(top, &top->now.stacks[i]);
	qsort(top->rows, top->nr, sizeof(*top->rows), top_compare);
}

/* --- looking ---------------------------------------------------------------------------------- */

static double top_seconds(uint64_t from_ns, uint64_t to_ns)
{
	return from_ns && to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0;
}

static double top_clock(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/*
 * Whoever waits for the process writes down how it ended, a moment after it is gone. One that was
 * gone before has nobody who would.
 */
static void top_note_end(struct top *top)
{
	const bool running = profile_running(top->profile);
	const double now = top_clock();

	if (running)
		top->seen_running = now;
	top->ended = !running && (top->profile->info.state != STACKDEPOT_STORE_RUNNING ||
				  now - top->seen_running > END_SECONDS);
}

/* The first time rates are averages since recording began. */
bool top_look(struct top *top)
{
	top->since_start = !top->now.stacks;
	if (!profile_refresh(top->profile))
		return false;
	snapshot_free(&top->before);
	top->before = top->now;
	if (top->since_start)
		top->before.time_ns = top->profile->info.start_monotonic_ns;
	snapshot_take(top->profile, SNAPSHOT_BY_PLACES, &top->now);
	top->seconds = top_seconds(top->before.time_ns, top->now.time_ns);
	top_note_end(top);
	top_select(top);
	return true;
}

void top_free(struct top *top)
{
	free(top->rows);
	snapshot_free(&top->before);
	snapshot_free(&top->now);
	profile_close(top->profile);
}

/* --- printing --------------------------------------------------------------------------------- */

/* "12.3M": one word each, so that a script can tell the columns. */
static const char *top_amount(double value, double unit, const char *plus, char *buffer)
{
	static const char units[] = " KMGTP";
	size_t at = 0;

	while (fabs(value) >= unit && at + 2 < sizeof(units)) {
		value /= unit;
		at++;
	}
	snprintf(buffer, TEXT_BYTES, "%s%.*f%.*s", value > 0 ? plus : "",
		 at || value != rint(value), value, at ? 1 : 0, &units[at]);
	return buffer;
}

static const char *top_rate(const struct top *top, double value, double unit, const char *plus,
			    char *buffer)
{
	return top->seconds > 0 ? top_amount(value, unit, plus, buffer) : "-";
}

static double top_total_rate(const struct top *top, double now, double before)
{
	return top->seconds > 0 ? (now - before) / top->seconds : 0;
}

static void top_print_rates(FILE *out, const struct top *top)
{
	const struct profile_sums *now = &top->now.total, *before = &top->before.total;
	char growth[TEXT_BYTES], allocated[TEXT_BYTES], objects[TEXT_BYTES];

	if (top->seconds <= 0) {
		fputs("; rates are not known", out);
		return;
	}
	fprintf(out, ", %s/s; allocated %s/s in %s objects/s, %s %.1f s",
		top_amount(top_total_rate(top, now->bytes, before->bytes), 1024, "+", growth),
		top_amount(
			top_total_rate(top, top_counted(now->alloc_bytes, before->alloc_bytes), 0),
			1024, "", allocated),
		top_amount(top_total_rate(top, top_counted(now->allocs, before->allocs), 0), 1000,
			   "", objects),
		top->since_start ? "since the start," : "in the last", top->seconds);
}

static void top_print_tool(FILE *out, const struct stackdepot_store_info *info)
{
	char store[TEXT_BYTES], besides[TEXT_BYTES], rate[TEXT_BYTES];

	fprintf(out, "store %s, recorder %s besides; ",
		top_amount((double)info->total_bytes, 1024, "", store),
		top_amount((double)info->tool_bytes, 1024, "", besides));
	if (info->mode == STACKDEPOT_MODE_OFF)
		fputs("recording is off", out);
	else if (info->sample_now_bytes)
		fprintf(out, "sampled, one in %s: figures are estimates",
			top_amount((double)info->sample_now_bytes, 1024, "", rate));
	else
		fputs("every object is recorded", out);
	if (info->unrecorded)
		fprintf(out, "; %s found no room",
			top_amount((double)info->unrecorded, 1000, "", rate));
}

void top_print_header(FILE *out, const struct top *top)
{
	const struct stackdepot_store_info *info = &top->profile->info;
	const struct profile_sums *total = &top->now.total;
	char live[TEXT_BYTES], objects[TEXT_BYTES], stacks[TEXT_NUMBER];

	text_processes(out, top->profile);
	fputs(": ", out);
	text_command(out, info);
	fprintf(out, "\nlive %s in %s object%s", top_amount(total->bytes, 1024, "", live),
		top_amount(total->objects, 1000, "", objects), strcmp(objects, "1") ? "s" : "");
	top_print_rates(out, top);
	fputc('\n', out);
	top_print_tool(out, info);
	fprintf(out, "\n%zu of %s by %s", top->nr,
		text_number((double)top->now.nr, "stack", stacks), top_order_texts[top->order]);
	if (top->filter[0])
		fprintf(out, ", with '%s'", top->filter);
}

void top_print_columns(FILE *out)
{
	fprintf(out, "%9s %9s %10s %9s %9s  %s", "LIVE", "OBJECTS", "GROWTH/s", "ALLOC/s", "OBJ/s",
		"STACK, INNERMOST FIRST");
}

static void top_print_functions(FILE *out, const struct profile_trace *trace)
{
	size_t j, shown = 0;
	unsigned int i;

	if (!trace->nr)
		fputs(trace->evicted ? "(evicted)" : "(not known)", out);
	for (i = 0; i < trace->nr && shown < FUNCTIONS_SHOWN; i++) {
		const struct symbol_frame *frame = symbols_frame(trace->frames[i]);

		for (j = 0; j < frame->nr && shown < FUNCTIONS_SHOWN; j++) {
			fputs(shown++ ? " < " : "", out);
			text_where(out, frame, &frame->lines[j]);
		}
	}
}

void top_print_row(FILE *out, const struct top *top, const struct top_row *row)
{
	const struct profile_sums *sums = &row->now->sums;
	char text[5][TEXT_BYTES];

	fprintf(out, "%9s %9s %10s %9s %9s  ", top_amount(sums->bytes, 1024, "", text[0]),
		top_amount(sums->objects, 1000, "", text[1]),
		top_rate(top, row->growth, 1024, "+", text[2]),
		top_rate(top, row->alloc_bytes, 1024, "", text[3]),
		top_rate(top, row->allocs, 1000, "", text[4]));
	top_print_functions(out, &row->now->stack->trace);
}
