/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * growth.c - which stacks only grow.
 *
 * Of two moments: copies of a store (cp FILE BEFORE will do), or running processes looked at
 * several times. A stack counts if it held more at each look than at the one before.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/complain.h"
#include "base/memory.h"
#include "base/pause.h"
#include "base/status.h"
#include "growth.h"
#include "profile/snapshot.h"
#include "text/json.h"
#include "text/number.h"

struct growth_stack {
	double first_bytes;
	double first_objects;
	unsigned int steps; /* looks in a row at which it held more */
};

struct growth_watch {
	struct snapshot last;
	struct growth_stack *stacks; /* those of last */
	unsigned int looks;
};

/* A row of the report. */
struct growth {
	const struct profile_trace *trace;
	double first;
	double last;
	double objects; /* more than at first */
};

/* --- looking ---------------------------------------------------------------------------------- */

static struct growth_stack growth_step(const struct growth_watch *watch,
				       const struct snapshot_stack *now)
{
	const struct snapshot_stack *before = snapshot_find(&watch->last, now->id);
	struct growth_stack stack = {0};

	if (!watch->looks)
		return (struct growth_stack){.first_bytes = now->sums.bytes,
					     .first_objects = now->sums.objects};
	if (before)
		stack = watch->stacks[before - watch->last.stacks];
	stack.steps = now->sums.bytes > (before ? before->sums.bytes : 0) ? stack.steps + 1 : 0;
	return stack;
}

static void growth_forget(struct growth_watch *watch)
{
	free(watch->stacks);
	snapshot_free(&watch->last);
}

static void growth_look(struct growth_watch *watch, struct profile *profile)
{
	struct growth_watch now = {.looks = watch->looks + 1};
	size_t i;

	snapshot_take(profile, SNAPSHOT_BY_PLACES, &now.last);
	now.stacks = memory_alloc(now.last.nr * sizeof(*now.stacks));
	for (i = 0; i < now.last.nr; i++)
		now.stacks[i] = growth_step(watch, &now.last.stacks[i]);
	growth_forget(watch);
	*watch = now;
}

static int growth_compare(const void *a, const void *b)
{
	const struct growth *left = a, *right = b;
	double l = left->last - left->first, r = right->last - right->first;

	if (l != r)
		return l < r ? 1 : -1;
	return left->trace->hash < right->trace->hash ? -1 : left->trace->hash > right->trace->hash;
}

/* Those that grew at each look but the first, most growth first; to be freed. */
static struct growth *growth_select(const struct growth_watch *watch, size_t *ret_nr,
				    double *ret_bytes)
{
	struct growth *list = memory_alloc(watch->last.nr * sizeof(*list));
	size_t i, nr = 0;

	*ret_bytes = 0;
	for (i = 0; i < watch->last.nr; i++) {
		const struct profile_sums *sums = &watch->last.stacks[i].sums;

		if (watch->stacks[i].steps + 1 < watch->looks)
			continue;
		list[nr++] =
			(struct growth){.trace = &watch->last.stacks[i].stack->trace,
					.first = watch->stacks[i].first_bytes,
					.last = sums->bytes,
					.objects = sums->objects - watch->stacks[i].first_objects};
		*ret_bytes += sums->bytes - watch->stacks[i].first_bytes;
	}
	if (nr)
		qsort(list, nr, sizeof(*list), growth_compare);
	*ret_nr = nr;
	return list;
}

/* --- reporting -------------------------------------------------------------------------------- */

static void growth_print(const struct report *report, const struct growth *growth)
{
	char more[TEXT_BYTES], from[TEXT_BYTES], to[TEXT_BYTES], objects[TEXT_NUMBER];

	puts("");
	text_heading(&report->style, "+%s in %s, from %s to %s, allocated at:",
		     text_bytes(growth->last - growth->first, more),
		     text_number(growth->objects, "object", objects),
		     text_bytes(growth->first, from), text_bytes(growth->last, to));
	text_trace(stdout, &report->style, growth->trace);
}

static void growth_json(struct writer *writer, const struct growth *growth)
{
	writer_object(writer, NULL);
	writer_number(writer, "grown_bytes", growth->last - growth->first);
	writer_number(writer, "grown_objects", growth->objects);
	writer_number(writer, "from_bytes", growth->first);
	writer_number(writer, "to_bytes", growth->last);
	json_trace(writer, "stack", growth->trace);
	writer_end(writer);
}

static void growth_text(const struct report *report, const struct growth *list, size_t nr,
			double bytes)
{
	char text[TEXT_BYTES], number[TEXT_NUMBER];
	size_t i;

	text_head(report->profile);
	text_heading(&report->style, "%s only grew, by %s together",
		     text_number((double)nr, "stack", number), text_bytes(bytes, text));
	for (i = 0; i < nr && i < report->limit; i++)
		growth_print(report, &list[i]);
}

static void growth_print_json(const struct report *report, const struct growth *list, size_t nr)
{
	struct writer writer;
	size_t i;

	json_begin(&writer, report->profile);
	writer_array(&writer, "growth");
	for (i = 0; i < nr && i < report->limit; i++)
		growth_json(&writer, &list[i]);
	writer_end(&writer);
	json_finish(&writer);
}

/* Traces are named as at the last look, which has earlier ones unless they were evicted. */
static int growth_report(const struct report *options, const struct profile *profile,
			 const struct growth_watch *watch)
{
	struct report report = *options;
	double bytes;
	size_t nr;
	struct growth *list = growth_select(watch, &nr, &bytes);

	report.profile = profile;
	if (report.json)
		growth_print_json(&report, list, nr);
	else
		growth_text(&report, list, nr, bytes);
	free(list);
	return nr ? STATUS_FINDINGS : STATUS_CLEAN;
}

/* --- of what ---------------------------------------------------------------------------------- */

static int growth_between(const struct report *options, struct profile *early,
			  struct profile *later)
{
	struct growth_watch watch = {0};
	int status;

	if (early->info.pid != later->info.pid || early->info.start_ns != later->info.start_ns) {
		complain("the two stores are of different processes");
		return STATUS_FAILED;
	}
	growth_look(&watch, early);
	growth_look(&watch, later);
	status = growth_report(options, later, &watch);
	growth_forget(&watch);
	return status;
}

int report_growth(const struct report *options, const struct targets *targets, char *later_name)
{
	struct targets later_target = {.names = &later_name, .nr = 1};
	struct profile *early = profile_open(targets, NULL), *later = NULL;
	int status = STATUS_FAILED;

	if (early) {
		later_target.symbols = early->symbols;
		later = profile_open(&later_target, NULL);
	}
	if (later)
		status = growth_between(options, early, later);
	profile_close(later);
	profile_close(early);
	return status;
}

int report_growth_watch(const struct report *options, const struct targets *targets,
			double interval, unsigned int times)
{
	struct profile *profile = profile_open(targets, NULL);
	struct growth_watch watch = {0};
	int status = STATUS_FAILED;
	unsigned int i;

	if (!profile)
		return STATUS_FAILED;
	growth_look(&watch, profile);
	for (i = 0; i < times; i++) {
		pause_for(interval);
		if (!profile_refresh(profile))
			break;
		growth_look(&watch, profile);
	}
	if (i == times)
		status = growth_report(options, profile, &watch);
	growth_forget(&watch);
	profile_close(profile);
	return status;
}
