/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* growth.h - which stacks only grow; an exit status. */
#ifndef REPORT_GROWTH_H
#define REPORT_GROWTH_H

#include "report.h"

/* Between two stores of one process. */
int report_growth(const struct report *options, const struct targets *targets, char *later_name);
/* Between moments of processes that run: TIMES, INTERVAL seconds apart. */
int report_growth_watch(const struct report *options, const struct targets *targets,
			double interval, unsigned int times);

#endif
