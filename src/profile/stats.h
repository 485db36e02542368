/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stats.h - what recording cost, and what it could not do: a figure in each row. */
#ifndef PROFILE_STATS_H
#define PROFILE_STATS_H

#include "profile.h"

struct stats_row {
	const char *name; /* in JSON */
	const char *text;
	uint64_t value;
	bool is_bytes;
	bool only_if_any;
};

#define STATS_ROWS 40
/* How many; of several processes the sums, peaks of different moments too. */
size_t stats_rows(const struct profile *profile, struct stats_row rows[STATS_ROWS]);

#endif
