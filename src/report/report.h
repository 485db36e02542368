/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* report.h - what is reported of a profile; each report returns an exit status. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "profile/profile.h"
#include "text/text.h"

struct suppress;

struct report {
	const struct profile *profile;
	struct suppress *suppress; /* what was left out */
	size_t limit;		   /* stacks shown */
	struct text_style style;
	bool json;
};

int report_leaks(const struct report *report);
/* Of a profile that was opened for lost objects. */
int report_lost(const struct report *report);
/* Of a profile that was opened for peaks. */
int report_peak(const struct report *report);
/* Of a profile that was opened for mappings. */
int report_memory(const struct report *report);
int report_top(const struct report *report);
int report_errors(const struct report *report);
int report_stats(const struct report *report);
int report_summary(const struct report *report);

#endif
