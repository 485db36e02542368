/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "ratios.h"
#include "report.h"

static void text_number(const char *label, double value, const char *unit)
{
	if (!isnan(value))
		printf("  %-34s %10.2f %s\n", label, value, unit);
}

static void text_full(const struct workload *workload, const struct full_result *full)
{
	static const struct {
		enum quantity quantity;
		const char *label;
	} lines[] = {
		{COLD, "cold save"},
		{WARM, "warm save, leased"},
		{WARM_TICKING, "warm save, leased, clock running"},
		{WARM_REFERENCED, "warm save, referenced"},
		{WARM_KEPT, "warm save, kept"},
		{CURSOR, "warm save, leased, cursor"},
		{FETCH, "fetch"},
		{PUT, "put"},
		{READ, "reading the frames only"},
		{LINUX_COLD, "Linux, cold save"},
		{LINUX_WARM, "Linux, warm save"},
		{LINUX_HUGE_WARM, "Linux, warm save, huge pages"},
		{LINUX_PUT, "Linux, put"},
		{LLVM_COLD, "LLVM, cold save"},
		{LLVM_WARM, "LLVM, warm save"},
	};
	unsigned int i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		text_number(lines[i].label, samples_median(&full->ns[lines[i].quantity]), "ns");
	text_number("bytes per unique trace", (double)full->depot_bytes / workload->corpus.unique,
		    "bytes");
}

static void text_budgets(const struct budget_result *budgets)
{
	unsigned int i;

	printf("  budget    save ns   p99.99 ns    worst ns    hits  LRU hits   evictions\n");
	for (i = 0; i < BUDGETS_NR; i++)
		if (budgets[i].lines)
			printf("  %5.0f%% %10.1f %11.0f %11.0f %7.4f %9.4f %11.0f\n",
			       budgets[i].fraction * 100, samples_median(&budgets[i].save_ns),
			       samples_median(&budgets[i].p9999_ns),
			       samples_median(&budgets[i].worst_ns),
			       samples_median(&budgets[i].hit_ratio), budgets[i].lru_hit_ratio,
			       samples_median(&budgets[i].evictions));
}

static void text_threads(const struct corpus_result *result)
{
	static const char *const names[THREAD_MODE_NR] = {"referenced", "leased", "Linux", "LLVM"};
	const struct thread_result *run;
	unsigned int i;

	printf("  threads  mode        traces      save ns  (CPU time of a thread)\n");
	for (i = 0; i < result->threads_nr; i++) {
		run = &result->threads[i];
		printf("  %7u  %-10s  %-9s %9.1f\n", run->nr, names[run->mode],
		       run->same_hot ? "the same" : "own", samples_median(&run->cpu_ns));
	}
}

static void text_ratios(const struct corpus_result *results, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < ratios_nr; i++)
		text_number(ratios[i].name, ratios_mean(&ratios[i], results, nr), "");
}

void report_text(const struct report *report)
{
	const struct workload *workload;
	unsigned int i;

	if (report->quick)
		printf("A quick run: the figures mean little.\n\n");
	for (i = 0; i < PEER_NR; i++)
		if (i != PEER_LINUX_HUGE && report->peers[i].ops)
			printf("beside %s\n", report->peers[i].ops->name);
	for (i = 0; i < report->nr; i++) {
		workload = &report->workloads[i];
		printf("%s: %" PRIu32 " unique traces, %" PRIu32 " events\n", workload->name,
		       workload->corpus.unique, workload->events);
		text_full(workload, &report->results[i].full);
		text_budgets(report->results[i].budgets);
		text_threads(&report->results[i]);
		printf("  ratios\n");
		text_ratios(&report->results[i], 1);
		putchar('\n');
	}
	printf("geometric means of the ratios\n");
	text_ratios(report->results, report->nr);
}
