/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * trend.c - how much was live when.
 *
 * A row says how much its stack holds, and what it held in the row before; what did not change is
 * not told. So of each source and stack the first row is where it begins, each other one adds what
 * changed, and when a source has not been heard for a day, what it held is taken away. What comes
 * before the time that is asked about is where that begins.
 *
 *	base	what the first row was before, at its time
 *	steps	of each row, the difference, at its time
 *	end	what the last row was, less, a day after it
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clean.h"
#include "base/memory.h"
#include "sql.h"
#include "text/number.h"
#include "trend.h"

#define BAR 40

/* Service, number of the part at whose end it counts (0: the begin), by how much it changed. */
static void trend_sql(struct rows *sql, const struct fleet_options *options, const char *which,
		      const struct trend *trend, struct ask_window window)
{
	const uint64_t since = window.since > SQL_WHOLE ? window.since - SQL_WHOLE : 0;

	rows_print(
		sql,
		"SELECT sv, n, sum(x.2) FROM (SELECT sv, x, if(x.1 <= %" PRIu64
		", 0, intDiv(x.1 - 1 - %" PRIu64 ", %" PRIu64
		") + 1) AS n FROM (SELECT sv, arrayJoin(arrayConcat([(r[1].2, r[1].4), "
		"(toUInt32(r[-1].2 + %u), -r[-1].3)], arrayMap(i -> (r[i].2, r[i].3 - if(i = 1, "
		"r[1].4, r[i - 1].3)), arrayEnumerate(r)))) AS x FROM (SELECT s, k, argMax(v, q) "
		"AS sv, arraySort(y -> y.1, groupArray((q, t, l, f))) AS r FROM (SELECT source "
		"AS s, stack AS k, seq AS q, any(service) AS v, toUInt32(any(time)) AS t, "
		"any(live_bytes) AS l, any(before_bytes) AS f FROM samples",
		trend->since, trend->since, trend->seconds, SQL_WHOLE);
	sql_where(sql, options, since, window.until);
	rows_print(sql,
		   "%s GROUP BY source, stack, seq) GROUP BY s, k))) WHERE n <= %zu GROUP BY sv, n "
		   "ORDER BY sv, n",
		   which, trend->parts);
}

static struct trend_line *trend_line(struct trend *trend, const char *service)
{
	if (trend->nr && !strcmp(trend->lines[trend->nr - 1].service, service))
		return &trend->lines[trend->nr - 1];
	trend->lines = memory_room(trend->lines, trend->nr, &trend->room, sizeof(*trend->lines));
	trend->lines[trend->nr] = (struct trend_line){.service = memory_strdup(service)};
	return &trend->lines[trend->nr++];
}

static void trend_row(struct trend *trend, char *row)
{
	char *service = rows_next(&row), *number = rows_next(&row), *change = rows_next(&row);
	const size_t part = number ? strtoull(number, NULL, 10) : SIZE_MAX;

	if (change && part <= trend->parts)
		trend_line(trend, service)->live_bytes[part] = strtod(change, NULL);
}

/* Of what changed, what was. Sums of estimates may be a little less than nothing. */
static void trend_add_up(struct trend *trend)
{
	size_t i, j;

	for (i = 0; i < trend->nr; i++) {
		double *live = trend->lines[i].live_bytes, sum = 0;

		for (j = 0; j <= trend->parts; j++) {
			sum += live[j];
			live[j] = sum > 0 ? sum : 0;
		}
	}
}

bool trend_ask(struct trend *trend, const struct fleet_options *options, struct server *server,
	       const char *which, struct ask_window window)
{
	const uint64_t seconds = window.until > window.since ? window.until - window.since : 0;
	struct rows sql = {0}, answer = {0};
	char *rest, *row;
	bool good;

	trend->since = window.since;
	trend->seconds = (seconds + TREND_POINTS - 1) / TREND_POINTS;
	trend->seconds += !trend->seconds;
	trend->parts = (seconds + trend->seconds - 1) / trend->seconds;
	trend_sql(&sql, options, which, trend, window);
	good = server_query(server, rows_text(&sql), &answer);
	for (rest = answer.text; good && rest && *rest && (row = strsep(&rest, "\n"));)
		trend_row(trend, row);
	trend_add_up(trend);
	rows_free(&sql);
	rows_free(&answer);
	return good;
}

void trend_free(struct trend *trend)
{
	while (trend->nr)
		free(trend->lines[--trend->nr].service);
	free(trend->lines);
}

static uint64_t trend_time(const struct trend *trend, size_t part)
{
	return trend->since + part * trend->seconds;
}

/* --- for people ------------------------------------------------------------------------------- */

static void trend_text_point(const struct trend *trend, size_t part, double live, double most)
{
	const time_t at = (time_t)trend_time(trend, part);
	char when[TEXT_NUMBER], bytes[TEXT_NUMBER];
	struct tm local;

	localtime_r(&at, &local);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &local);
	printf("    %s %12s  %.*s\n", when, text_bytes(live, bytes),
	       most > 0 ? (int)(live / most * BAR + 0.5) : 0,
	       "########################################");
}

/* From when there is something, and only where something changed. */
static void trend_text_line(const struct trend *trend, const struct trend_line *line)
{
	double most = 0, before = 0;
	size_t i;

	for (i = 0; i <= trend->parts; i++)
		if (line->live_bytes[i] > most)
			most = line->live_bytes[i];
	clean_write(stdout, line->service);
	puts(", live by time, of all releases:");
	for (i = 0; i <= trend->parts; i++) {
		if (line->live_bytes[i] != before || i == trend->parts)
			trend_text_point(trend, i, line->live_bytes[i], most);
		before = line->live_bytes[i];
	}
}

void trend_text(const struct trend *trend)
{
	size_t i;

	for (i = 0; i < trend->nr; i++)
		trend_text_line(trend, &trend->lines[i]);
}

/* --- for programs ----------------------------------------------------------------------------- */

void trend_json(struct writer *writer, const struct trend *trend)
{
	size_t i, j;

	writer_object(writer, "trend");
	writer_integer(writer, "since", (int64_t)trend->since);
	writer_integer(writer, "seconds", (int64_t)trend->seconds);
	writer_array(writer, "services");
	for (i = 0; i < trend->nr; i++) {
		writer_object(writer, NULL);
		writer_text(writer, "service", trend->lines[i].service);
		writer_array(writer, "live_bytes");
		for (j = 0; j <= trend->parts; j++)
			writer_number(writer, NULL, trend->lines[i].live_bytes[j]);
		writer_end(writer);
		writer_end(writer);
	}
	writer_end(writer);
	writer_end(writer);
}
