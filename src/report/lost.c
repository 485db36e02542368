/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* lost.c - objects that nothing points to any more, by stack. */
#include <jansson.h>
#include <stdio.h>

#include "base/status.h"
#include "report.h"
#include "suppress/suppress.h"
#include "text/json.h"
#include "text/number.h"

struct lost_total {
	double objects; /* with those that only lost ones lead to */
	double bytes;
	double lost_objects;
	double lost_bytes;
	size_t stacks;
	uint64_t looked_at; /* live objects */
	double stopped_ms;  /* the longest of all processes */
	unsigned int threads;
	uint64_t copied_bytes;
	bool heap_is_roots;
};

static struct lost_total lost_total(const struct profile *profile)
{
	struct lost_total total = {0};
	size_t i;

	while (total.stacks < profile->nr && profile->stacks[total.stacks].sums.objects > 0) {
		const struct profile_stack *stack = &profile->stacks[total.stacks++];

		total.objects += stack->sums.objects;
		total.bytes += stack->sums.bytes;
		total.lost_objects += stack->lost_objects;
		total.lost_bytes += stack->lost_bytes;
	}
	for (i = 0; i < profile->nr_processes; i++) {
		const struct lost *lost = &profile->processes[i].lost;
		double ms = (double)lost->stopped_ns / 1e6;

		total.looked_at += lost->nr;
		total.threads += lost->threads;
		total.copied_bytes += lost->copied_bytes;
		total.heap_is_roots |= lost->heap_is_roots;
		if (ms > total.stopped_ms)
			total.stopped_ms = ms;
	}
	return total;
}

/* --- text ------------------------------------------------------------------------------------- */

static void lost_head(const struct report *report, const struct lost_total *total)
{
	char bytes[TEXT_BYTES], objects[TEXT_NUMBER], stacks[TEXT_NUMBER], threads[TEXT_NUMBER];

	text_heading(&report->style, "%s lost in %s from %s", text_bytes(total->bytes, bytes),
		     text_number(total->objects, "object", objects),
		     text_number((double)total->stacks, "stack", stacks));
	printf("of %s that are live; %s stood still for %.1f ms, %s were searched\n",
	       text_number((double)total->looked_at, "object", objects),
	       text_number(total->threads, "thread", threads), total->stopped_ms,
	       text_bytes((double)total->copied_bytes, bytes));
	if (total->heap_is_roots)
		puts("Not every object is recorded, and those that are not may point to others: "
		     "all of\n"
		     "the heap counted as in use, so more may be lost.");
}

static void lost_stack(const struct report *report, const struct profile_stack *stack)
{
	const double led_to = stack->sums.objects - stack->lost_objects;
	char bytes[TEXT_BYTES], objects[TEXT_NUMBER], more[TEXT_NUMBER];

	puts("");
	if (led_to > 0)
		text_heading(&report->style,
			     "%s lost in %s, %s of them led to by lost ones only, allocated at:",
			     text_bytes(stack->sums.bytes, bytes),
			     text_number(stack->sums.objects, "object", objects),
			     text_count(led_to, more));
	else
		text_heading(&report->style,
			     "%s lost in %s, allocated at:", text_bytes(stack->sums.bytes, bytes),
			     text_number(stack->sums.objects, "object", objects));
	text_trace(stdout, &report->style, &stack->trace);
}

static void lost_text(const struct report *report, const struct lost_total *total)
{
	char number[TEXT_NUMBER];
	size_t i;

	text_head(report->profile);
	lost_head(report, total);
	for (i = 0; i < total->stacks && i < report->limit; i++)
		lost_stack(report, &report->profile->stacks[i]);
	if (i < total->stacks)
		printf("\n%s; --all shows them.\n",
		       text_number((double)(total->stacks - i), "more stack", number));
	if (suppress_says(report->suppress, SUPPRESS_LEAK))
		puts("");
	suppress_print(stdout, report->suppress, SUPPRESS_LEAK);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *lost_json_stack(const struct profile_stack *stack)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:o}", "lost_bytes", stack->lost_bytes,
			 "lost_objects", stack->lost_objects, "from_lost_bytes",
			 stack->sums.bytes - stack->lost_bytes, "from_lost_objects",
			 stack->sums.objects - stack->lost_objects, "stack",
			 json_trace(&stack->trace));
}

static void lost_json(const struct report *report, const struct lost_total *total)
{
	json_t *root = json_processes(report->profile), *list = json_array();
	size_t i;

	for (i = 0; i < total->stacks && i < report->limit; i++)
		json_array_append_new(list, lost_json_stack(&report->profile->stacks[i]));
	json_object_set_new(root, "lost_bytes", json_real(total->lost_bytes));
	json_object_set_new(root, "lost_objects", json_real(total->lost_objects));
	json_object_set_new(root, "from_lost_bytes", json_real(total->bytes - total->lost_bytes));
	json_object_set_new(root, "from_lost_objects",
			    json_real(total->objects - total->lost_objects));
	json_object_set_new(root, "looked_at", json_integer((json_int_t)total->looked_at));
	json_object_set_new(root, "stopped_ms", json_real(total->stopped_ms));
	json_object_set_new(root, "threads", json_integer(total->threads));
	json_object_set_new(root, "searched_bytes", json_integer((json_int_t)total->copied_bytes));
	json_object_set_new(root, "more_may_be_lost", json_boolean(total->heap_is_roots));
	json_object_set_new(root, "stacks", list);
	json_object_set_new(root, "suppressed", suppress_json(report->suppress, SUPPRESS_LEAK));
	json_finish(root);
}

int report_lost(const struct report *report)
{
	const struct lost_total total = lost_total(report->profile);

	if (report->json)
		lost_json(report, &total);
	else
		lost_text(report, &total);
	return total.stacks ? STATUS_FINDINGS : STATUS_CLEAN;
}
