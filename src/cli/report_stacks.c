/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* report_stacks.c - what is live, and what was ever allocated, by stack. */
#include <jansson.h>
#include <stdlib.h>

#include "cli.h"
#include "suppress.h"

/* Totals of a list of stacks. */
struct stacks_sum {
	double objects;
	double bytes;
	double allocs;
	double alloc_bytes;
	size_t live_stacks;
};

static struct stacks_sum stacks_sum(const struct stackdepot_stack *stacks, size_t nr)
{
	struct stacks_sum sum = {0};
	size_t i;

	for (i = 0; i < nr; i++) {
		sum.objects += stacks[i].objects;
		sum.bytes += stacks[i].bytes;
		sum.allocs += stacks[i].allocs;
		sum.alloc_bytes += stacks[i].alloc_bytes;
		sum.live_stacks += stacks[i].objects > 0;
	}
	return sum;
}

static int stacks_get(const struct report *report, struct stackdepot_stack **ret_stacks,
		      size_t *ret_nr)
{
	int error = stackdepot_store_stacks(report->store, ret_stacks, ret_nr);

	if (error)
		cli_complain("out of memory");
	return error;
}

static json_t *stacks_json_one(const struct report *report, const struct stackdepot_stack *stack)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:o}", "live_bytes", stack->bytes, "live_objects",
			 stack->objects, "allocated_bytes", stack->alloc_bytes, "allocations",
			 stack->allocs, "stack", json_stack(report, stack->trace));
}

static void stacks_json(const struct report *report, const struct stackdepot_stack *stacks,
			size_t nr, bool live_only)
{
	struct stacks_sum sum = stacks_sum(stacks, nr);
	json_t *root = json_process(report), *list = json_array();
	size_t i;

	for (i = 0; i < nr && json_array_size(list) < report->limit; i++)
		if (!live_only || stacks[i].objects > 0)
			json_array_append_new(list, stacks_json_one(report, &stacks[i]));
	json_object_set_new(root, "live_bytes", json_real(sum.bytes));
	json_object_set_new(root, "live_objects", json_real(sum.objects));
	json_object_set_new(root, "allocated_bytes", json_real(sum.alloc_bytes));
	json_object_set_new(root, "allocations", json_real(sum.allocs));
	json_object_set_new(root, "stacks", list);
	if (live_only) {
		json_object_set_new(root, "suppressed",
				    suppress_json(report->suppress, SUPPRESS_LEAK));
		json_object_set_new(root, "unused_suppressions",
				    suppress_json_unused(report->suppress, SUPPRESS_LEAK));
	}
	json_finish(root);
}

static void leaks_text(const struct report *report, const struct stackdepot_stack *stacks,
		       size_t nr)
{
	struct stacks_sum sum = stacks_sum(stacks, nr);
	char bytes[TEXT_BYTES], count[TEXT_BYTES], number[TEXT_BYTES];
	size_t i;

	text_heading(report, "%s live in %s objects from %s stacks", text_bytes(sum.bytes, bytes),
		     text_count(sum.objects, count), text_count((double)sum.live_stacks, number));
	for (i = 0; i < nr && i < report->limit && stacks[i].objects > 0; i++) {
		puts("");
		text_heading(report, "%s in %s object%s (%.1f %%), allocated at:",
			     text_bytes(stacks[i].bytes, bytes),
			     text_count(stacks[i].objects, count),
			     stacks[i].objects < 1.5 ? "" : "s",
			     sum.bytes > 0 ? 100 * stacks[i].bytes / sum.bytes : 0);
		text_stack(report, stacks[i].trace);
	}
	if (i < sum.live_stacks)
		printf("\n%s more stacks; --all shows them.\n",
		       text_count((double)(sum.live_stacks - i), number));
	if (suppress_says(report->suppress, SUPPRESS_LEAK))
		puts("");
	suppress_print(stdout, report->suppress, SUPPRESS_LEAK);
}

int report_leaks(const struct report *report)
{
	struct stackdepot_stack *stacks;
	bool found;
	size_t nr;

	if (stacks_get(report, &stacks, &nr))
		return CLI_USAGE;
	suppress_stacks(report->suppress, stacks, nr);
	if (report->json) {
		stacks_json(report, stacks, nr, true);
	} else {
		text_process(report);
		leaks_text(report, stacks, nr);
	}
	found = nr && stacks_sum(stacks, nr).objects > 0;
	free(stacks);
	return found ? CLI_FINDINGS : CLI_CLEAN;
}

static int top_compare(const void *a, const void *b)
{
	const struct stackdepot_stack *left = a, *right = b;

	if (left->alloc_bytes != right->alloc_bytes)
		return left->alloc_bytes < right->alloc_bytes ? 1 : -1;
	return left->trace < right->trace ? -1 : left->trace > right->trace;
}

static void top_text(const struct report *report, const struct stackdepot_stack *stacks, size_t nr)
{
	struct stacks_sum sum = stacks_sum(stacks, nr);
	char bytes[TEXT_BYTES], count[TEXT_BYTES], live[TEXT_BYTES];
	size_t i;

	text_heading(report, "%s allocated in %s objects from %zu stacks",
		     text_bytes(sum.alloc_bytes, bytes), text_count(sum.allocs, count), nr);
	if (report->info.evicted_allocs > 0)
		printf("and %s in %s objects from stacks that were evicted since\n",
		       text_bytes(report->info.evicted_bytes, bytes),
		       text_count(report->info.evicted_allocs, count));
	for (i = 0; i < nr && i < report->limit; i++) {
		puts("");
		text_heading(report, "%s in %s objects, %s of it live:",
			     text_bytes(stacks[i].alloc_bytes, bytes),
			     text_count(stacks[i].allocs, count),
			     text_bytes(stacks[i].bytes, live));
		text_stack(report, stacks[i].trace);
	}
	if (i < nr)
		printf("\n%zu more stacks; --all shows them.\n", nr - i);
}

int report_top(const struct report *report)
{
	struct stackdepot_stack *stacks;
	size_t nr;

	if (stacks_get(report, &stacks, &nr))
		return CLI_USAGE;
	qsort(stacks, nr, sizeof(*stacks), top_compare);
	if (report->json) {
		stacks_json(report, stacks, nr, false);
	} else {
		text_process(report);
		top_text(report, stacks, nr);
	}
	free(stacks);
	return CLI_CLEAN;
}
