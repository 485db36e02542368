/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stacks.c - what is live, and what was ever allocated, by stack. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/status.h"
#include "report.h"
#include "suppress/suppress.h"
#include "text/json.h"
#include "text/number.h"

/* --- JSON ------------------------------------------------------------------------------------- */

/* NR of them; to be finished. */
static void stacks_json(struct writer *writer, const struct report *report,
			const struct profile_stack *stacks, size_t nr)
{
	struct profile_sums sum = profile_total(report->profile);
	size_t i;

	json_begin(writer, report->profile);
	json_sums(writer, &sum);
	writer_array(writer, "stacks");
	for (i = 0; i < nr && i < report->limit; i++) {
		writer_object(writer, NULL);
		json_sums(writer, &stacks[i].sums);
		json_trace(writer, "stack", &stacks[i].trace);
		writer_end(writer);
	}
	writer_end(writer);
}

/* --- what is live ------------------------------------------------------------------------------
 */

static int processes_by_live(const void *a, const void *b)
{
	const struct profile_process *const *left = a, *const *right = b;
	double l = (*left)->live.bytes, r = (*right)->live.bytes;

	if (l != r)
		return l < r ? 1 : -1;
	return (*left > *right) - (*left < *right);
}

static void leaks_process(const struct profile_process *process)
{
	char bytes[TEXT_BYTES];

	printf("%12s  ", text_bytes(process->live.bytes, bytes));
	if (process->info.processes > 1)
		printf("%u processes that have ended: ", process->info.processes);
	else
		printf("process %u: ", process->info.pid);
	text_command(stdout, &process->info);
	putchar('\n');
}

/* Which of several holds how much, as many as stacks are shown. */
static void leaks_processes(const struct report *report)
{
	const struct profile *profile = report->profile;
	const struct profile_process **list =
		memory_alloc(profile->nr_processes * sizeof(struct profile_process *));
	size_t i;

	for (i = 0; i < profile->nr_processes; i++)
		list[i] = &profile->processes[i];
	qsort(list, profile->nr_processes, sizeof(*list), processes_by_live);
	for (i = 0; i < profile->nr_processes && i < report->limit; i++) {
		if (list[i]->live.objects <= 0)
			break;
		leaks_process(list[i]);
	}
	if (i < profile->nr_processes)
		printf("%12s  in the other %zu\n",
		       i && list[i]->live.objects > 0 ? "less" : "nothing",
		       profile->nr_processes - i);
	free(list);
}

static void leaks_stack(const struct report *report, const struct profile_stack *stack,
			double total_bytes)
{
	char bytes[TEXT_BYTES], error[TEXT_BYTES + 8], objects[TEXT_NUMBER];

	puts("");
	text_heading(&report->style,
		     "%s%s in %s (%.1f %%), allocated at:", text_bytes(stack->sums.bytes, bytes),
		     text_error(stack->sums.bytes_variance, error),
		     text_number(stack->sums.objects, "object", objects),
		     total_bytes > 0 ? 100 * stack->sums.bytes / total_bytes : 0);
	text_trace(stdout, &report->style, &stack->trace);
}

static void leaks_text(const struct report *report)
{
	const struct profile *profile = report->profile;
	struct profile_sums sum = profile_total(profile);
	char bytes[TEXT_BYTES], error[TEXT_BYTES + 8], objects[TEXT_NUMBER], stacks[TEXT_NUMBER];
	size_t i, live = profile_live(profile);

	text_heading(&report->style, "%s%s live in %s from %s", text_bytes(sum.bytes, bytes),
		     text_error(sum.bytes_variance, error),
		     text_number(sum.objects, "object", objects),
		     text_number((double)live, "stack", stacks));
	if (profile->nr_processes > 1)
		leaks_processes(report);
	for (i = 0; i < live && i < report->limit; i++)
		leaks_stack(report, &profile->stacks[i], sum.bytes);
	if (i < live)
		printf("\n%s; --all shows them.\n",
		       text_number((double)(live - i), "more stack", stacks));
	if (suppress_says(report->suppress, SUPPRESS_LEAK))
		puts("");
	suppress_print(stdout, report->suppress, SUPPRESS_LEAK);
}

static void leaks_json(const struct report *report)
{
	struct writer writer;

	stacks_json(&writer, report, report->profile->stacks, profile_live(report->profile));
	suppress_json(&writer, report->suppress, SUPPRESS_LEAK);
	suppress_json_unused(&writer, report->suppress, SUPPRESS_LEAK);
	json_finish(&writer);
}

int report_leaks(const struct report *report)
{
	if (report->json) {
		leaks_json(report);
	} else {
		text_head(report->profile);
		leaks_text(report);
	}
	return profile_live(report->profile) ? STATUS_FINDINGS : STATUS_CLEAN;
}

/* --- what was ever allocated -------------------------------------------------------------------
 */

static int top_compare(const void *a, const void *b)
{
	const struct profile_stack *left = a, *right = b;

	if (left->sums.alloc_bytes != right->sums.alloc_bytes)
		return left->sums.alloc_bytes < right->sums.alloc_bytes ? 1 : -1;
	return left->trace.hash < right->trace.hash ? -1 : left->trace.hash > right->trace.hash;
}

static void top_stack(const struct report *report, const struct profile_stack *stack)
{
	char bytes[TEXT_BYTES], objects[TEXT_NUMBER], live[TEXT_BYTES], error[TEXT_BYTES + 8];
	const double variance = stack->sums.alloc_bytes_variance;

	puts("");
	text_heading(&report->style,
		     "%s%s%s in %s, %s of it live:", text_bytes(stack->sums.alloc_bytes, bytes),
		     text_error(variance, error), variance > 0 ? " at most" : "",
		     text_number(stack->sums.allocs, "object", objects),
		     text_bytes(stack->sums.bytes, live));
	text_trace(stdout, &report->style, &stack->trace);
}

static void top_text(const struct report *report, const struct profile_stack *stacks, size_t nr)
{
	const struct stackdepot_store_info *info = &report->profile->info;
	struct profile_sums sum = profile_total(report->profile);
	char bytes[TEXT_BYTES], objects[TEXT_NUMBER], number[TEXT_NUMBER];
	size_t i;

	text_heading(&report->style, "%s allocated in %s from %s",
		     text_bytes(sum.alloc_bytes, bytes), text_number(sum.allocs, "object", objects),
		     text_number((double)nr, "stack", number));
	if (info->evicted_allocs > 0)
		printf("and %s in %s from stacks that were evicted since\n",
		       text_bytes(info->evicted_bytes, bytes),
		       text_number(info->evicted_allocs, "object", objects));
	for (i = 0; i < nr && i < report->limit; i++)
		top_stack(report, &stacks[i]);
	if (i < nr)
		printf("\n%s; --all shows them.\n",
		       text_number((double)(nr - i), "more stack", number));
}

int report_top(const struct report *report)
{
	const struct profile *profile = report->profile;
	struct profile_stack *stacks = memory_alloc(profile->nr * sizeof(*stacks));
	struct writer writer;
	size_t i;

	for (i = 0; i < profile->nr; i++)
		stacks[i] = profile->stacks[i];
	qsort(stacks, profile->nr, sizeof(*stacks), top_compare);
	if (report->json) {
		stacks_json(&writer, report, stacks, profile->nr);
		json_finish(&writer);
	} else {
		text_head(report->profile);
		top_text(report, stacks, profile->nr);
	}
	free(stacks);
	return STATUS_CLEAN;
}
