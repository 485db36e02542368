/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ask_diff.c - fleet diff: two releases, hosts or services, by what one store of each holds.
 *
 * Two sides have different numbers of stores, so averages are compared: what a stack holds on one
 * side, divided by the stores that were heard there, those without that stack too.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/memory.h"
#include "base/status.h"
#include "sql.h"
#include "text/number.h"

#define DIFF_SECONDS (30 * SQL_DAY)

struct diff {
	const struct fleet_options *options;
	const char *column;
	const char *sides[2];
	struct ask_window window;
	double stores[2];
	double total[2]; /* bytes of one store */
};

/* The options without what is compared. */
static struct fleet_options diff_rest(const struct diff *diff)
{
	struct fleet_options rest = *diff->options;

	if (!strcmp(diff->column, "host"))
		rest.host = NULL;
	if (!strcmp(diff->column, "service"))
		rest.service = NULL;
	return rest;
}

static void diff_where(struct rows *sql, const struct diff *diff)
{
	const struct fleet_options rest = diff_rest(diff);

	sql_where(sql, &rest, diff->window.since, diff->window.until);
	if (strcmp(diff->column, "version"))
		sql_and(sql, "version", diff->options->version);
	rows_print(sql, " AND %s IN (", diff->column);
	rows_quote(sql, diff->sides[0]);
	rows_print(sql, ", ");
	rows_quote(sql, diff->sides[1]);
	rows_print(sql, ")");
}

/* "x, y" of an answer. */
static bool diff_pair(struct server *server, const struct rows *sql, double ret_pair[2])
{
	struct rows rows = {0};
	bool good = server_query(server, rows_text(sql), &rows);

	if (good) {
		ret_pair[0] = strtod(rows_at(rows_text(&rows), 0), NULL);
		ret_pair[1] = strtod(rows_at(rows_text(&rows), 1), NULL);
	}
	rows_free(&rows);
	return good;
}

static bool diff_count(struct diff *diff, struct server *server)
{
	struct rows sql = {0};
	int side;
	bool good;

	rows_print(&sql, "SELECT ");
	for (side = 0; side < 2; side++) {
		rows_print(&sql, "%suniqExactIf(source, %s = ", side ? ", " : "", diff->column);
		rows_quote(&sql, diff->sides[side]);
		rows_print(&sql, ")");
	}
	rows_print(&sql, " FROM sources");
	diff_where(&sql, diff);
	good = diff_pair(server, &sql, diff->stores);
	rows_free(&sql);
	return good;
}

/* Of each source and stack, on each side, the last: s k sv h side l. */
static void diff_parts(struct rows *sql, const struct diff *diff)
{
	rows_print(sql, "SELECT source AS s, stack AS k, %s AS side", diff->column);
	sql_last(sql, "service", "sv");
	sql_last(sql, "live_bytes + left_bytes", "l");
	rows_print(sql, " FROM samples");
	diff_where(sql, diff);
	rows_print(sql, " GROUP BY source, stack, %s", diff->column);
}

static void diff_side(struct rows *sql, const struct diff *diff, int side)
{
	const double stores = diff->stores[side];

	rows_print(sql, "sumIf(l, side = ");
	rows_quote(sql, diff->sides[side]);
	rows_print(sql, ") / %.17g", stores > 0 ? stores : 1);
}

static bool diff_total(struct diff *diff, struct server *server)
{
	struct rows sql = {0};
	bool good;

	rows_print(&sql, "SELECT ");
	diff_side(&sql, diff, 0);
	rows_print(&sql, ", ");
	diff_side(&sql, diff, 1);
	rows_print(&sql, " FROM (");
	diff_parts(&sql, diff);
	rows_print(&sql, ")");
	good = diff_pair(server, &sql, diff->total);
	rows_free(&sql);
	return good;
}

static const struct answer_column diff_columns[] = {
	{"service", "%s", ANSWER_TEXT, false, NULL},
	{"difference_bytes", "%s more", ANSWER_BYTES, false, NULL},
	{"a_bytes", "%s before", ANSWER_BYTES, false, NULL},
	{"b_bytes", "%s after, a store", ANSWER_BYTES, false, NULL},
	{"stack", "stack", ANSWER_STACK, false, NULL},
};

static bool diff_show(const struct diff *diff, struct server *server)
{
	static const struct answer answer = {ANSWER_COLUMNS(diff_columns), "Nothing differs.",
					     "stacks"};
	const char *service = strcmp(diff->column, "service") ? "sv" : "''";
	struct rows parts = {0}, sql = {0};
	bool good;

	diff_parts(&parts, diff);
	rows_print(&sql, "SELECT %s AS svc, ", service);
	diff_side(&sql, diff, 1);
	rows_print(&sql, " - ");
	diff_side(&sql, diff, 0);
	rows_print(&sql, " AS more, ");
	diff_side(&sql, diff, 0);
	rows_print(&sql, ", ");
	diff_side(&sql, diff, 1);
	rows_print(&sql, ", argMax(k, l) FROM ");
	sql_with_key(&sql, rows_text(&parts), "k", "key");
	rows_print(&sql, " GROUP BY svc, ");
	sql_key(&sql, "k", "key");
	rows_print(&sql, " HAVING more != 0 ORDER BY more DESC LIMIT %zu", diff->options->limit);
	good = ask_show(&answer, diff->options, server, &sql) == STATUS_CLEAN;
	rows_free(&parts);
	rows_free(&sql);
	return good;
}

/* --- the limit -------------------------------------------------------------------------------- */

static bool diff_limit(const char *text, double *ret_limit, bool *ret_is_percent)
{
	uint64_t bytes;
	char *end;

	*ret_is_percent = false;
	if (number_bytes(text, &bytes)) {
		*ret_limit = (double)bytes;
		return true;
	}
	*ret_is_percent = true;
	*ret_limit = strtod(text, &end);
	return end != text && !strcmp(end, "%") && *ret_limit >= 0 && *ret_limit < 1e9;
}

static bool diff_is_beyond(const struct diff *diff, double limit, bool is_percent)
{
	const double more = diff->total[1] - diff->total[0];

	return more > (is_percent ? diff->total[0] * limit / 100 : limit);
}

int ask_diff(const struct fleet_options *options, struct server *server)
{
	struct diff diff = {
		.options = options,
		.column = options->by ? options->by : "version",
		.sides = {options->words[1], options->words[2]},
		.window = ask_window(options, DIFF_SECONDS),
	};
	double limit = 0;
	bool is_percent = false;
	int side;

	if (options->fail && !diff_limit(options->fail, &limit, &is_percent))
		return fleet_options_complain("fleet", "--fail-on-increase cannot be '%s'",
					      options->fail);
	if (!diff_count(&diff, server))
		return STATUS_FAILED;
	for (side = 0; side < 2; side++)
		if (diff.stores[side] <= 0)
			return fleet_options_complain("fleet", "diff: nothing was told of %s '%s'",
						      diff.column, diff.sides[side]);
	if (!diff_total(&diff, server) || !diff_show(&diff, server))
		return STATUS_FAILED;
	return options->fail && diff_is_beyond(&diff, limit, is_percent) ? STATUS_FINDINGS
									 : STATUS_CLEAN;
}
