/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * diff.c - what grew from one store to another, and what shrank.
 *
 * The two may be moments of one process, two runs, or runs of two builds, so stacks are compared by
 * the functions they go through; those of equal functions count as one.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "diff.h"
#include "profile/snapshot.h"
#include "text/json.h"
#include "text/number.h"

struct diff_row {
	struct profile_sums before;
	struct profile_sums after;
	const struct profile_trace *trace;
};

struct diff {
	const struct diff_options *options;
	const struct profile *a;
	const struct profile *b;
	struct snapshot before;
	struct snapshot after;
	struct diff_row *rows;
	size_t nr;
	size_t changed; /* rows whose live bytes or objects differ: the first ones */
};

/* --- comparing -------------------------------------------------------------------------------- */

static double diff_growth(const struct diff_row *row)
{
	return row->after.bytes - row->before.bytes;
}

static bool diff_is_change(const struct diff_row *row)
{
	return diff_growth(row) != 0 || row->after.objects != row->before.objects;
}

/* Largest change first, be it growth or not; what did not change is last. */
static int diff_compare(const void *a, const void *b)
{
	const struct diff_row *left = a, *right = b;
	double l = fabs(diff_growth(left)), r = fabs(diff_growth(right));

	if (diff_is_change(left) != diff_is_change(right))
		return diff_is_change(left) ? -1 : 1;
	if (l != r)
		return l < r ? 1 : -1;
	return left->after.bytes < right->after.bytes	? 1
	       : left->after.bytes > right->after.bytes ? -1
							: 0;
}

static void diff_add(struct diff *diff, const struct snapshot_stack *before,
		     const struct snapshot_stack *after)
{
	struct diff_row *row = &diff->rows[diff->nr++];

	*row = (struct diff_row){.trace = after ? &after->stack->trace : &before->stack->trace};
	if (before)
		row->before = before->sums;
	if (after)
		row->after = after->sums;
	diff->changed += diff_is_change(row);
}

static void diff_match(struct diff *diff)
{
	size_t i;

	diff->rows = memory_alloc((diff->before.nr + diff->after.nr) * sizeof(*diff->rows));
	for (i = 0; i < diff->after.nr; i++) {
		const struct snapshot_stack *after = &diff->after.stacks[i];

		diff_add(diff, snapshot_find(&diff->before, after->id), after);
	}
	for (i = 0; i < diff->before.nr; i++)
		if (!snapshot_find(&diff->after, diff->before.stacks[i].id))
			diff_add(diff, &diff->before.stacks[i], NULL);
	qsort(diff->rows, diff->nr, sizeof(*diff->rows), diff_compare);
}

/* From nothing to something is more than any percentage. */
static bool diff_is_beyond(const struct diff *diff)
{
	double before = diff->before.total.bytes, growth = diff->after.total.bytes - before;

	if (!diff->options->has_limit)
		return false;
	return growth > (diff->options->is_percent ? before * diff->options->limit / 100
						   : diff->options->limit);
}

/* --- text ------------------------------------------------------------------------------------- */

static const char *diff_signed(double bytes, char *buffer)
{
	char text[TEXT_BYTES];

	snprintf(buffer, TEXT_BYTES, "%s%.30s", bytes > 0 ? "+" : "", text_bytes(bytes, text));
	return buffer;
}

static void diff_coloured(const struct diff *diff, double growth, const char *text)
{
	const char *colour = growth > 0 ? "\033[1;31m" : "\033[1;32m"; /* red is worse */

	printf("%s%s%s", diff->options->report.style.colour ? colour : "", text,
	       diff->options->report.style.colour ? "\033[0m" : "");
}

static void diff_text_row(const struct diff *diff, const struct diff_row *row)
{
	char more[TEXT_BYTES], from[TEXT_BYTES], to[TEXT_BYTES], objects[2][TEXT_NUMBER];

	putchar('\n');
	diff_coloured(diff, diff_growth(row), diff_signed(diff_growth(row), more));
	printf(", from %s in %s to %s in %s, allocated at:\n", text_bytes(row->before.bytes, from),
	       text_number(row->before.objects, "object", objects[0]),
	       text_bytes(row->after.bytes, to),
	       text_number(row->after.objects, "object", objects[1]));
	text_trace(stdout, &diff->options->report.style, row->trace);
}

static void diff_text_total(const struct diff *diff)
{
	double before = diff->before.total.bytes, after = diff->after.total.bytes;
	char more[TEXT_BYTES], from[TEXT_BYTES], to[TEXT_BYTES], number[TEXT_NUMBER];

	diff_coloured(diff, after - before, diff_signed(after - before, more));
	printf(" live, from %s to %s", text_bytes(before, from), text_bytes(after, to));
	if (before > 0)
		printf(" (%+.1f %%)", 100 * (after - before) / before);
	printf("; %zu of %s changed\n", diff->changed,
	       text_number((double)diff->nr, "stack", number));
	if (diff->a->info.sample_bytes || diff->b->info.sample_bytes)
		puts("Objects were sampled: figures are estimates, and small changes mean "
		     "nothing.");
}

static void diff_text_side(const char *mark, const struct profile *profile)
{
	printf("%s ", mark);
	text_command(stdout, &profile->info);
	if (profile->nr_processes == 1)
		printf(", process %u\n", profile->info.pid);
	else
		printf(", %zu processes\n", profile->nr_processes);
}

static void diff_text(const struct diff *diff)
{
	const size_t limit = diff->options->report.limit;
	size_t i, shown = diff->changed < limit ? diff->changed : limit;

	diff_text_side("---", diff->a);
	diff_text_side("+++", diff->b);
	diff_text_total(diff);
	for (i = 0; i < shown; i++)
		diff_text_row(diff, &diff->rows[i]);
	if (shown < diff->changed)
		printf("\n%zu more changed; --all shows them.\n", diff->changed - shown);
	if (diff->options->has_limit)
		printf("\nThe growth is %s the limit.\n",
		       diff_is_beyond(diff) ? "beyond" : "within");
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void diff_json_sums(struct writer *writer, const char *key, const struct profile_sums *sums)
{
	writer_object(writer, key);
	json_sums(writer, sums);
	writer_end(writer);
}

static void diff_json_row(struct writer *writer, const struct diff_row *row)
{
	writer_object(writer, NULL);
	writer_number(writer, "grown_bytes", diff_growth(row));
	diff_json_sums(writer, "before", &row->before);
	diff_json_sums(writer, "after", &row->after);
	json_trace(writer, "stack", row->trace);
	writer_end(writer);
}

static void diff_json_process(struct writer *writer, const char *key, const struct profile *profile)
{
	writer_object(writer, key);
	json_processes(writer, profile);
	writer_end(writer);
}

static void diff_json(const struct diff *diff)
{
	struct writer writer;
	size_t i;

	writer_begin_lines(&writer, stdout);
	writer_object(&writer, NULL);
	writer_integer(&writer, "version", 1);
	diff_json_process(&writer, "before_process", diff->a);
	diff_json_process(&writer, "after_process", diff->b);
	writer_number(&writer, "grown_bytes", diff->after.total.bytes - diff->before.total.bytes);
	diff_json_sums(&writer, "before", &diff->before.total);
	diff_json_sums(&writer, "after", &diff->after.total);
	writer_integer(&writer, "changed_stacks", (int64_t)diff->changed);
	writer_bool(&writer, "beyond_limit", diff_is_beyond(diff));
	writer_array(&writer, "stacks");
	for (i = 0; i < diff->changed && i < diff->options->report.limit; i++)
		diff_json_row(&writer, &diff->rows[i]);
	writer_end(&writer);
	json_finish(&writer);
}

/* ---------------------------------------------------------------------------------------------- */

int report_diff(const struct diff_options *options, const struct profile *before,
		const struct profile *after)
{
	struct diff diff = {.options = options, .a = before, .b = after};
	int status;

	snapshot_take(before, SNAPSHOT_BY_KEY, &diff.before);
	snapshot_take(after, SNAPSHOT_BY_KEY, &diff.after);
	diff_match(&diff);
	status = diff_is_beyond(&diff) ? STATUS_FINDINGS : STATUS_CLEAN;
	if (options->report.json)
		diff_json(&diff);
	else
		diff_text(&diff);
	free(diff.rows);
	snapshot_free(&diff.before);
	snapshot_free(&diff.after);
	return status;
}
