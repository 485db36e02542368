/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stats.c - what recording cost, and what it could not do. */
#include <stdio.h>

#include "base/status.h"
#include "profile/stats.h"
#include "report.h"
#include "text/json.h"
#include "text/number.h"

static void stats_text(const struct report *report, const struct stats_row *rows, size_t nr)
{
	char text[TEXT_BYTES];
	size_t i;

	text_head(report->profile);
	for (i = 0; i < nr; i++) {
		double value = (double)rows[i].value;

		if (rows[i].only_if_any && !rows[i].value)
			continue;
		printf("%14s  %s\n",
		       rows[i].is_bytes ? text_bytes(value, text) : text_count(value, text),
		       rows[i].text);
	}
}

static void stats_json(const struct report *report, const struct stats_row *rows, size_t nr)
{
	struct writer writer;
	size_t i;

	json_begin(&writer, report->profile);
	for (i = 0; i < nr; i++)
		writer_integer(&writer, rows[i].name, (int64_t)rows[i].value);
	json_finish(&writer);
}

int report_stats(const struct report *report)
{
	struct stats_row rows[STATS_ROWS];
	size_t nr = stats_rows(report->profile, rows);

	if (report->json)
		stats_json(report, rows, nr);
	else
		stats_text(report, rows, nr);
	return STATUS_CLEAN;
}
