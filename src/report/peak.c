/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* peak.c - what was live when processes had the most, by stack. */
#include <stdio.h>

#include "base/status.h"
#include "report.h"
#include "text/json.h"
#include "text/number.h"

static size_t peak_processes(const struct profile *profile)
{
	size_t i, nr = 0;

	for (i = 0; i < profile->nr_processes; i++)
		nr += profile->processes[i].peak.bytes > 0;
	return nr;
}

/* --- text ------------------------------------------------------------------------------------- */

static double peak_seconds(const struct profile_process *process, uint64_t ns)
{
	const uint64_t start = process->info.start_monotonic_ns;

	return ns > start ? (double)(ns - start) / 1e9 : 0;
}

static void peak_taken(const struct profile_process *process)
{
	const struct stackdepot_peak *peak = &process->peak;
	char bytes[TEXT_BYTES], objects[TEXT_NUMBER];

	printf("by stack: %s in %s, %.1f %% of it,", text_bytes(peak->taken_bytes, bytes),
	       text_number(peak->taken_objects, "object", objects),
	       peak->bytes > 0 ? 100 * peak->taken_bytes / peak->bytes : 100);
	if (peak->taken_ns)
		printf(" as of %.2f s\n", peak_seconds(process, peak->taken_ns));
	else
		puts(" which it has now, or had at its end");
	if (peak->meanwhile_bytes > 0)
		printf("other threads allocated %s while it was added up: stacks may be wrong by "
		       "that\n",
		       text_bytes(peak->meanwhile_bytes, bytes));
	if (peak->unlisted_bytes > 0)
		printf("of %s the stacks found no room\n", text_bytes(peak->unlisted_bytes, bytes));
}

static void peak_process(const struct report *report, const struct profile_process *process)
{
	const struct stackdepot_peak *peak = &process->peak;
	char bytes[TEXT_BYTES], more[TEXT_BYTES];

	text_heading(&report->style, "%s at most%s%s", text_bytes(peak->bytes, bytes),
		     process->info.sample_bytes ? ", estimated" : "",
		     report->profile->peak == TARGETS_PEAK ? "" : " in that time");
	if (report->profile->nr_processes > 1) {
		printf("process %u: ", process->info.pid);
		text_command(stdout, &process->info);
		putchar('\n');
	}
	if (peak->time_ns)
		printf("%.2f s after its start; known to within %s\n",
		       peak_seconds(process, peak->time_ns), text_bytes(peak->unseen_bytes, more));
	peak_taken(process);
}

static void peak_list(const struct report *report)
{
	const struct profile *profile = report->profile;
	size_t i, shown = 0, nr = peak_processes(profile);
	char number[TEXT_NUMBER];

	for (i = 0; i < profile->nr_processes && shown < report->limit; i++)
		if (profile->processes[i].peak.bytes > 0) {
			peak_process(report, &profile->processes[i]);
			shown++;
		}
	if (shown < nr)
		printf("and %s more; --all shows them\n", text_count((double)(nr - shown), number));
	if (nr > 1)
		puts("\nEach had its peak at a time of its own: sums of several are none.");
	if (!nr)
		puts("Nothing was live.");
}

static void peak_stack(const struct report *report, const struct profile_stack *stack, double total)
{
	char bytes[TEXT_BYTES], error[TEXT_BYTES + 8], objects[TEXT_NUMBER];

	puts("");
	text_heading(&report->style,
		     "%s%s in %s (%.1f %%), allocated at:", text_bytes(stack->sums.bytes, bytes),
		     text_error(stack->sums.bytes_variance, error),
		     text_number(stack->sums.objects, "object", objects),
		     total > 0 ? 100 * stack->sums.bytes / total : 0);
	text_trace(stdout, &report->style, &stack->trace);
}

static void peak_text(const struct report *report)
{
	const struct profile *profile = report->profile;
	const struct profile_sums sum = profile_total(profile);
	const size_t nr = profile_live(profile);
	char number[TEXT_NUMBER];
	size_t i;

	text_head(profile);
	peak_list(report);
	for (i = 0; i < nr && i < report->limit; i++)
		peak_stack(report, &profile->stacks[i], sum.bytes);
	if (i < nr)
		printf("\n%s; --all shows them.\n",
		       text_number((double)(nr - i), "more stack", number));
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void peak_json(const struct report *report)
{
	const struct profile *profile = report->profile;
	struct writer writer;
	size_t i, nr = profile_live(profile);

	json_begin(&writer, profile);
	writer_array(&writer, "peaks");
	for (i = 0; i < profile->nr_processes; i++) {
		if (profile->processes[i].peak.bytes <= 0)
			continue;
		writer_object(&writer, NULL);
		writer_integer(&writer, "pid", profile->processes[i].info.pid);
		json_peak(&writer, &profile->processes[i]);
		writer_end(&writer);
	}
	writer_end(&writer);
	writer_array(&writer, "stacks");
	for (i = 0; i < nr && i < report->limit; i++) {
		writer_object(&writer, NULL);
		json_sums(&writer, &profile->stacks[i].sums);
		json_trace(&writer, "stack", &profile->stacks[i].trace);
		writer_end(&writer);
	}
	writer_end(&writer);
	json_finish(&writer);
}

int report_peak(const struct report *report)
{
	if (report->json)
		peak_json(report);
	else
		peak_text(report);
	return STATUS_CLEAN;
}
