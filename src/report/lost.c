/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* lost.c - objects that nothing points to any more, by stack. */
#include <math.h>
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
	double objects_variance;
	double bytes_variance;
	size_t stacks;
	uint64_t looked_at; /* live objects */
	double stopped_ms;  /* the longest of all processes */
	size_t at_exit;	    /* processes that were looked at when they ended */
	size_t missed;	    /* that nobody looked at */
	unsigned int threads;
	uint64_t copied_bytes;
	bool heap_is_roots;
};

/* With a program that was replaced its memory went. */
static bool lost_is_missed(const struct profile_process *process)
{
	return !process->lost.stacks && process->info.state != STACKDEPOT_STORE_REPLACED;
}

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
		total.objects_variance += stack->sums.objects_variance;
		total.bytes_variance += stack->sums.bytes_variance;
	}
	for (i = 0; i < profile->nr_processes; i++) {
		const struct lost_found *lost = &profile->processes[i].lost;
		double ms = (double)lost->stopped_ns / 1e6;

		total.at_exit += lost->at_exit;
		total.missed += lost_is_missed(&profile->processes[i]);
		total.looked_at += lost->looked_at;
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
	char error[TEXT_BYTES + 8];

	text_heading(&report->style, "%s%s lost in %s from %s", text_bytes(total->bytes, bytes),
		     text_error(total->bytes_variance, error),
		     text_number(total->objects, "object", objects),
		     text_number((double)total->stacks, "stack", stacks));
	printf("of %s that are live; %s stood still for %.1f ms, %s were searched\n",
	       text_number((double)total->looked_at, "object", objects),
	       text_number(total->threads, "thread", threads), total->stopped_ms,
	       text_bytes((double)total->copied_bytes, bytes));
	if (total->at_exit)
		puts(total->at_exit == 1 ? "as of its end" : "as of the end of each process");
	if (total->missed)
		printf("%s more %s not looked at, which did not end by exit()\n",
		       text_count((double)total->missed, stacks),
		       total->missed == 1 ? "process was" : "processes were");
	if (total->heap_is_roots)
		puts("Not every object is recorded, and those that are not may point to others: "
		     "all of\n"
		     "the heap counted as in use, so more may be lost.");
}

static void lost_stack(const struct report *report, const struct profile_stack *stack)
{
	const double led_to = stack->sums.objects - stack->lost_objects;
	char bytes[TEXT_BYTES], objects[TEXT_NUMBER], more[TEXT_NUMBER], error[TEXT_BYTES + 8];

	text_error(stack->sums.bytes_variance, error);
	puts("");
	if (led_to > 0)
		text_heading(&report->style,
			     "%s%s lost in %s, %s of them led to by lost ones only, allocated at:",
			     text_bytes(stack->sums.bytes, bytes), error,
			     text_number(stack->sums.objects, "object", objects),
			     text_count(led_to, more));
	else
		text_heading(&report->style,
			     "%s%s lost in %s, allocated at:", text_bytes(stack->sums.bytes, bytes),
			     error, text_number(stack->sums.objects, "object", objects));
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

/* Of those that are lost and those they lead to, together. */
static void lost_json_error(struct writer *writer, double objects_variance, double bytes_variance)
{
	if (bytes_variance <= 0)
		return;
	writer_number(writer, "bytes_error", sqrt(bytes_variance));
	writer_number(writer, "objects_error", sqrt(objects_variance));
}

static void lost_json_stack(struct writer *writer, const struct profile_stack *stack)
{
	writer_object(writer, NULL);
	writer_number(writer, "lost_bytes", stack->lost_bytes);
	writer_number(writer, "lost_objects", stack->lost_objects);
	writer_number(writer, "from_lost_bytes", stack->sums.bytes - stack->lost_bytes);
	writer_number(writer, "from_lost_objects", stack->sums.objects - stack->lost_objects);
	lost_json_error(writer, stack->sums.objects_variance, stack->sums.bytes_variance);
	json_trace(writer, "stack", &stack->trace);
	writer_end(writer);
}

static void lost_json_total(struct writer *writer, const struct lost_total *total)
{
	writer_number(writer, "lost_bytes", total->lost_bytes);
	writer_number(writer, "lost_objects", total->lost_objects);
	writer_number(writer, "from_lost_bytes", total->bytes - total->lost_bytes);
	writer_number(writer, "from_lost_objects", total->objects - total->lost_objects);
	lost_json_error(writer, total->objects_variance, total->bytes_variance);
	writer_integer(writer, "looked_at", (int64_t)total->looked_at);
	writer_number(writer, "stopped_ms", total->stopped_ms);
	writer_integer(writer, "threads", total->threads);
	writer_integer(writer, "searched_bytes", (int64_t)total->copied_bytes);
	writer_bool(writer, "more_may_be_lost", total->heap_is_roots);
	writer_integer(writer, "processes_at_exit", (int64_t)total->at_exit);
	writer_integer(writer, "processes_not_looked_at", (int64_t)total->missed);
}

static void lost_json(const struct report *report, const struct lost_total *total)
{
	struct writer writer;
	size_t i;

	json_begin(&writer, report->profile);
	lost_json_total(&writer, total);
	writer_array(&writer, "stacks");
	for (i = 0; i < total->stacks && i < report->limit; i++)
		lost_json_stack(&writer, &report->profile->stacks[i]);
	writer_end(&writer);
	suppress_json(&writer, report->suppress, SUPPRESS_LEAK);
	json_finish(&writer);
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
