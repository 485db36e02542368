/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* diff.h - what grew from one profile to another, and what shrank. */
#ifndef REPORT_DIFF_H
#define REPORT_DIFF_H

#include "report.h"

struct diff_options {
	struct report report; /* how, and how much of it */
	double limit;	      /* bytes, or percent, of growth */
	bool is_percent;
	bool has_limit;
};

/* A growth beyond the limit is the finding. */
int report_diff(const struct diff_options *options, const struct profile *before,
		const struct profile *after);

#endif
