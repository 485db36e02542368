/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * report_growth.c - which stacks only grow.
 *
 * Of two moments: copies of a store (cp FILE BEFORE will do), or a running process looked at
 * several times. A stack counts if it held more at each look than at the one before.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "cli.h"

struct growth {
	stackdepot_ref_t trace;
	double first;
	double last;
	double first_objects;
	double last_objects;
	unsigned int steps;
};

struct growth_list {
	struct growth *at; /* sorted by trace */
	size_t nr;
};

static int growth_by_trace(const void *a, const void *b)
{
	const struct growth *left = a, *right = b;

	return left->trace < right->trace ? -1 : left->trace > right->trace;
}

static int growth_by_bytes(const void *a, const void *b)
{
	const struct growth *left = a, *right = b;
	double l = left->last - left->first, r = right->last - right->first;

	return l < r ? 1 : l > r ? -1 : growth_by_trace(a, b);
}

static bool growth_look(struct stackdepot_store *store, struct growth_list *list)
{
	struct stackdepot_stack *stacks;
	size_t i, nr;

	list->at = NULL;
	if (stackdepot_store_stacks(store, &stacks, &nr)) {
		cli_complain("out of memory");
		return false;
	}
	list->nr = nr;
	list->at = cli_alloc(nr * sizeof(*list->at));
	for (i = 0; i < nr; i++)
		list->at[i] = (struct growth){.trace = stacks[i].trace,
					      .first = stacks[i].bytes,
					      .last = stacks[i].bytes,
					      .first_objects = stacks[i].objects,
					      .last_objects = stacks[i].objects};
	free(stacks);
	qsort(list->at, nr, sizeof(*list->at), growth_by_trace);
	return true;
}

/* Take the new look as the last one; what did not grow since the one before is out. */
static void growth_step(struct growth_list *list, struct growth_list *later)
{
	size_t i;

	for (i = 0; i < later->nr; i++) {
		struct growth *now = &later->at[i];
		const struct growth *before =
			bsearch(now, list->at, list->nr, sizeof(*now), growth_by_trace);
		const struct growth nothing = {0};

		if (!before)
			before = &nothing;
		now->steps = now->last > before->last ? before->steps + 1 : 0;
		now->first = before->first;
		now->first_objects = before->first_objects;
	}
	free(list->at);
	*list = *later;
}

static void growth_print(const struct report *report, const struct growth *growth)
{
	char more[TEXT_BYTES], from[TEXT_BYTES], to[TEXT_BYTES], objects[TEXT_BYTES];

	puts("");
	text_heading(report, "+%s in %s objects, from %s to %s, allocated at:",
		     text_bytes(growth->last - growth->first, more),
		     text_count(growth->last_objects - growth->first_objects, objects),
		     text_bytes(growth->first, from), text_bytes(growth->last, to));
	text_stack(report, growth->trace);
}

static json_t *growth_json(const struct report *report, const struct growth *growth)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:o}", "grown_bytes", growth->last - growth->first,
			 "grown_objects", growth->last_objects - growth->first_objects,
			 "from_bytes", growth->first, "to_bytes", growth->last, "stack",
			 json_stack(report, growth->trace));
}

static size_t growth_select(struct growth_list *list, unsigned int steps, double *ret_bytes)
{
	size_t i, nr = 0;

	*ret_bytes = 0;
	for (i = 0; i < list->nr; i++)
		if (list->at[i].steps >= steps) {
			*ret_bytes += list->at[i].last - list->at[i].first;
			list->at[nr++] = list->at[i];
		}
	qsort(list->at, nr, sizeof(*list->at), growth_by_bytes);
	return nr;
}

static int growth_report(const struct report *report, struct growth_list *list, unsigned int steps)
{
	json_t *stacks = json_array();
	char text[TEXT_BYTES];
	double bytes;
	size_t i, nr = growth_select(list, steps, &bytes);

	if (!report->json) {
		text_process(report);
		text_heading(report, "%zu stacks only grew, by %s together", nr,
			     text_bytes(bytes, text));
	}
	for (i = 0; i < nr && i < report->limit; i++) {
		if (report->json)
			json_array_append_new(stacks, growth_json(report, &list->at[i]));
		else
			growth_print(report, &list->at[i]);
	}
	if (report->json) {
		json_t *root = json_process(report);

		json_object_set(root, "growth", stacks);
		json_finish(root);
	}
	json_decref(stacks);
	return nr ? CLI_FINDINGS : CLI_CLEAN;
}

/* Traces are named as in the later store, which has the earlier one's unless they were evicted. */
int report_growth(const struct report *report, struct stackdepot_store *later)
{
	struct report of_later = *report;
	struct growth_list list, now;
	int status = CLI_USAGE;

	stackdepot_store_get_info(later, &of_later.info);
	if (of_later.info.pid != report->info.pid ||
	    of_later.info.start_ns != report->info.start_ns) {
		cli_complain("the two stores are of different processes");
		return CLI_USAGE;
	}
	if (!growth_look(report->store, &list))
		return CLI_USAGE;
	if (growth_look(later, &now)) {
		growth_step(&list, &now);
		of_later.store = later;
		of_later.symbols = symbols_open(later);
		status = growth_report(&of_later, &list, 1);
		symbols_close(of_later.symbols);
	}
	free(list.at);
	return status;
}

static void growth_wait(double seconds)
{
	struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

int report_growth_watch(const struct report *report, double interval, unsigned int times)
{
	struct growth_list list, now;
	unsigned int i;
	int status;

	if (!growth_look(report->store, &list))
		return CLI_USAGE;
	for (i = 0; i < times; i++) {
		growth_wait(interval);
		if (!growth_look(report->store, &now)) {
			free(list.at);
			return CLI_USAGE;
		}
		growth_step(&list, &now);
	}
	status = growth_report(report, &list, times);
	free(list.at);
	return status;
}
