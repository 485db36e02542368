/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The figures, as JSON for programs or as text for people. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>

#include "measure.h"

/**
 * struct report - all there is to report.
 * @workloads: one a corpus; @nr of them.
 * @results:   their figures.
 * @peers:     that were measured beside it.
 * @quick:     too short to be trusted.
 */
struct report {
	const struct workload *workloads;
	const struct corpus_result *results;
	unsigned int nr;
	const struct settings *settings;
	const struct peer *peers;
	bool quick;
};

void report_json(const struct report *report);
void report_text(const struct report *report);

#endif
