/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* ask_stacks.c - fleet top, lost, growth and stack: what is said of stacks. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/complain.h"
#include "base/memory.h"
#include "base/status.h"
#include "sql.h"
#include "trend.h"
#include "tables_text.h"

#define TOP_SECONDS SQL_DAY /* a host that was not heard for a day is not counted */
#define GROWTH_SECONDS (7 * SQL_DAY)

/* " GROUP BY sv, key ORDER BY ORDER LIMIT ...", of (QUERY) with the key of k. */
static void ask_grouped(struct rows *sql, const struct rows *query, const char *order,
			const struct fleet_options *options)
{
	rows_print(sql, " FROM ");
	sql_with_key(sql, rows_text(query), "k", "key");
	rows_print(sql, " GROUP BY sv, ");
	sql_key(sql, "k", "key");
	rows_print(sql, " %s LIMIT %zu", order, options->limit);
}

/* --- top -------------------------------------------------------------------------------------- */

static const struct answer_column top_columns[] = {
	{"service", "%s", ANSWER_TEXT, false, NULL},
	{"live_bytes", "%s live", ANSWER_BYTES, false, NULL},
	{"live_objects", "%s", ANSWER_COUNT, false, "object"},
	{"left_bytes", "%s left at exit", ANSWER_BYTES, true, NULL},
	{"left_objects", NULL, ANSWER_COUNT, false, NULL},
	{"hosts", "%s", ANSWER_COUNT, false, "host"},
	{"stores", NULL, ANSWER_COUNT, false, NULL},
	{"allocated_bytes", "%s ever allocated", ANSWER_BYTES, false, NULL},
	{"allocations", NULL, ANSWER_COUNT, false, NULL},
	{"live_bytes_error", "estimated, +/- %s", ANSWER_BYTES, true, NULL},
	{"stack", "stack", ANSWER_STACK, false, NULL},
};

int ask_top(const struct fleet_options *options, struct server *server)
{
	static const struct answer answer = {ANSWER_COLUMNS(top_columns),
					     "Nothing was told in this time.", "stacks"};
	struct rows latest = {0}, sql = {0};
	int status;

	ask_latest(&latest, options, ask_window(options, TOP_SECONDS));
	rows_print(&sql,
		   "SELECT sv, sum(lb), sum(lo), sum(fb), sum(fo), uniqExact(h), uniqExact(s), "
		   "sum(ab), sum(al), sqrt(sum(vb)), argMax(k, lb + fb)");
	ask_grouped(&sql, &latest, "ORDER BY sum(lb) + sum(fb) DESC, sum(ab) DESC", options);
	status = ask_show(&answer, options, server, &sql);
	rows_free(&latest);
	rows_free(&sql);
	return status;
}

/* --- lost ------------------------------------------------------------------------------------- */

static const struct answer_column lost_columns[] = {
	{"service", "%s", ANSWER_TEXT, false, NULL},
	{"lost_bytes", "%s lost", ANSWER_BYTES, false, NULL},
	{"lost_objects", "%s", ANSWER_COUNT, false, "object"},
	{"direct_bytes", "%s of them by themselves", ANSWER_BYTES, false, NULL},
	{"direct_objects", NULL, ANSWER_COUNT, false, NULL},
	{"hosts", "%s", ANSWER_COUNT, false, "host"},
	{"stack", "stack", ANSWER_STACK, false, NULL},
};

int ask_lost(const struct fleet_options *options, struct server *server)
{
	static const struct answer answer = {
		ANSWER_COLUMNS(lost_columns),
		"Nothing that was lost was told in this time; stackdepot push --lost looks.",
		"stacks"};
	const struct ask_window window = ask_window(options, TOP_SECONDS);
	const uint64_t whole = window.until > SQL_WHOLE ? window.until - SQL_WHOLE : 0;
	struct rows query = {0}, sql = {0};
	int status;

	rows_print(&query, "SELECT source AS s, stack AS k");
	sql_last(&query, "service", "sv");
	sql_last(&query, "version", "ve");
	sql_last(&query, "host", "h");
	sql_last(&query, "lost_bytes", "lb");
	sql_last(&query, "lost_objects", "lo");
	sql_last(&query, "direct_bytes", "db");
	sql_last(&query, "direct_objects", "do");
	rows_print(&query, " FROM lost");
	sql_where(&query, options, window.since < whole ? window.since : whole, window.until);
	rows_print(&query, " GROUP BY source, stack HAVING lo > 0");
	sql_and(&query, "ve", options->version);
	rows_print(&sql, "SELECT sv, sum(lb), sum(lo), sum(db), sum(do), uniqExact(h), "
			 "argMax(k, lb)");
	ask_grouped(&sql, &query, "ORDER BY sum(lb) DESC", options);
	status = ask_show(&answer, options, server, &sql);
	rows_free(&query);
	rows_free(&sql);
	return status;
}

/* --- growth ----------------------------------------------------------------------------------- */

/*
 * Of each source, stack and release: first and last bytes in the window, when, and how often they
 * rose and fell. Columns s k ve sv h f l t0 t1 up down q.
 */
static void growth_parts(struct rows *sql, const struct fleet_options *options,
			 struct ask_window window)
{
	rows_print(sql, "SELECT source AS s, stack AS k, version AS ve");
	sql_last(sql, "service", "sv");
	sql_last(sql, "host", "h");
	sql_last(sql, "live_bytes", "l");
	rows_print(sql, ", argMin(before_bytes, seq) AS f, toUInt32(min(time)) AS t0, "
			"toUInt32(max(time)) AS t1, countIf(live_bytes > before_bytes) AS up, "
			"countIf(live_bytes < before_bytes) AS down, max(seq) AS q FROM samples");
	sql_where(sql, options, window.since, window.until);
	sql_and(sql, "version", options->version);
	rows_print(sql, " GROUP BY source, stack, version");
}

/* The same with `now`: what is live, which of a source and stack its last release alone has. */
static void growth_now(struct rows *sql, const struct rows *parts)
{
	static const char columns[] = "ve, sv, h, f, l, t0, t1, up, down, q";

	rows_print(
		sql,
		"SELECT s, k, x.1 AS ve, x.2 AS sv, x.3 AS h, x.4 AS f, x.5 AS l, x.6 AS t0, "
		"x.7 AS t1, x.8 AS up, x.9 AS down, if(x.10 = m, x.5, 0) AS now FROM (SELECT s, "
		"k, max(q) AS m, groupArray((%s)) AS a FROM (%s) GROUP BY s, k) ARRAY JOIN a AS x",
		columns, rows_text(parts));
}

static const struct answer_column growth_columns[] = {
	{"service", "%s", ANSWER_TEXT, false, NULL},
	{"grown_bytes", "%s grown", ANSWER_BYTES, false, NULL},
	{"growing_hosts", "on %s", ANSWER_COUNT, false, "host"},
	{"hosts", "of %s that have it", ANSWER_COUNT, false, NULL},
	{"live_bytes", "%s live", ANSWER_BYTES, false, NULL},
	{"steadiness_percent", "%s % of steps upwards", ANSWER_COUNT, false, NULL},
	{"since_version", "since release %s", ANSWER_TEXT, true, NULL},
	{"since", "first seen %s", ANSWER_TIME, false, NULL},
	{"versions", NULL, ANSWER_TEXT, false, NULL},
	{"stack", "stack", ANSWER_STACK, false, NULL},
};

/*
 * By service, key and release: how much it grew, and how much on each host and hour. A release is
 * among those that leak if it grows at a tenth of the rate of the worst at least.
 */
static void growth_by_release(struct rows *sql, const struct rows *parts)
{
	rows_print(sql, "SELECT sv, ");
	sql_key(sql, "k", "key");
	rows_print(
		sql,
		" AS kk, ve, sum(l - f) AS g, sum(now) AS ll, min(t0) AS first, "
		"groupUniqArrayIf(h, l > f) AS hg, groupUniqArray(h) AS hh, sum(up) AS u, "
		"sum(down) AS d, "
		"argMax(k, l - f) AS kr, sum(l - f) / (sum(t1 - t0) + 3600 * uniqExact(s)) AS rate "
		"FROM ");
	sql_with_key(sql, rows_text(parts), "k", "key");
	rows_print(sql, " GROUP BY sv, kk, ve");
}

/* The worst rate of a service's stack beside each of its releases, to tell them apart. */
static void growth_worst(struct rows *sql, const struct rows *parts)
{
	struct rows releases = {0};

	growth_by_release(&releases, parts);
	rows_print(sql,
		   "SELECT sv, kk, worst, x.1 AS ve, x.2 AS g, x.3 AS ll, x.4 AS first, x.5 AS hg, "
		   "x.6 AS hh, x.7 AS u, x.8 AS d, x.9 AS kr, x.10 AS rate FROM (SELECT sv, kk, "
		   "max(rate) AS worst, groupArray((ve, g, ll, first, hg, hh, u, d, kr, rate)) AS "
		   "a FROM (%s) GROUP BY sv, kk) ARRAY JOIN a AS x",
		   rows_text(&releases));
	rows_free(&releases);
}

static void growth_sql(struct rows *sql, const struct rows *parts,
		       const struct fleet_options *options)
{
	struct rows releases = {0};

	growth_worst(&releases, parts);
	rows_print(sql,
		   "SELECT sv, sum(g), uniqExactArrayIf(hg, rate >= worst / 10), "
		   "uniqExactArray(hh), sum(ll), round(100 * sum(u) / "
		   "greatest(sum(u) + sum(d), 1)), argMinIf(ve, first, rate >= worst / 10), "
		   "minIf(first, rate >= worst / 10), "
		   "arrayStringConcat(arraySort(groupUniqArrayIf(ve, "
		   "rate >= worst / 10)), ' '), argMax(kr, g) FROM (%s) "
		   "GROUP BY sv, kk HAVING sum(g) > 0 ORDER BY sum(g) * (sum(u) - sum(d)) / "
		   "greatest(sum(u) + sum(d), 1) DESC, sum(g) DESC LIMIT %zu",
		   rows_text(&releases), options->limit);
	rows_free(&releases);
}

int ask_growth(const struct fleet_options *options, struct server *server)
{
	static const struct answer answer = {ANSWER_COLUMNS(growth_columns),
					     "Nothing grew in this time.", "stacks"};
	struct rows parts = {0}, now = {0}, sql = {0};
	int status;

	growth_parts(&parts, options, ask_window(options, GROWTH_SECONDS));
	growth_now(&now, &parts);
	growth_sql(&sql, &now, options);
	status = ask_show(&answer, options, server, &sql);
	rows_free(&parts);
	rows_free(&now);
	rows_free(&sql);
	return status;
}

/* --- one stack -------------------------------------------------------------------------------- */

static const struct answer_column stack_columns[] = {
	{"service", "%s", ANSWER_TEXT, false, NULL},
	{"release", "release %s", ANSWER_TEXT, true, NULL},
	{"live_bytes", "%s live", ANSWER_BYTES, false, NULL},
	{"left_bytes", "%s left at exit", ANSWER_BYTES, true, NULL},
	{"grown_bytes", "%s grown", ANSWER_BYTES, false, NULL},
	{"growing_hosts", "on %s", ANSWER_COUNT, false, "host"},
	{"hosts", "of %s", ANSWER_COUNT, false, NULL},
	{"first_seen", "from %s", ANSWER_TIME, false, NULL},
	{"last_seen", "to %s", ANSWER_TIME, false, NULL},
	{"stack", "stack", ANSWER_STACK, false, NULL},
};

static bool stack_is_id(const char *id)
{
	return *id && !id[strspn(id, "0123456789abcdef-")] && strlen(id) < FLEET_ID_TEXT;
}

/* The same way through a program in other builds is the same stack. */
static void stack_ids(struct rows *sql, const char *id)
{
	rows_print(
		sql,
		" AND stack GLOBAL IN (SELECT id FROM stacks WHERE key IN (SELECT key FROM stacks "
		"WHERE toString(id) LIKE '%s%%') OR toString(id) LIKE '%s%%')",
		id, id);
}

/* Releases, and how much was live when. */
static int stack_show(const struct answer *answer, const struct fleet_options *options,
		      struct server *server, const struct rows *sql, const struct rows *which,
		      struct ask_window window)
{
	struct trend trend = {0};
	struct rows rows = {0};
	bool good = server_query(server, rows_text(sql), &rows) &&
		    trend_ask(&trend, options, server, rows_text(which), window) &&
		    answer_show(answer, options, server, &rows, &trend);

	trend_free(&trend);
	rows_free(&rows);
	return good ? STATUS_CLEAN : STATUS_FAILED;
}

int ask_stack(const struct fleet_options *options, struct server *server)
{
	static const struct answer answer = {ANSWER_COLUMNS(stack_columns),
					     "No such stack in this time.", "releases"};
	const struct ask_window window = ask_window(options, GROWTH_SECONDS);
	const char *id = options->words[1];
	struct rows sql = {0}, which = {0};
	int status;

	if (!stack_is_id(id))
		return fleet_options_complain("fleet", "stack: '%s' is no ID", id);
	rows_print(&sql, "SELECT sv, ve, sum(l), sum(lf), sum(l - f), uniqExactIf(h, l > f), "
			 "uniqExact(h), min(t0), max(t1), argMax(k, l) FROM (SELECT source AS s, "
			 "stack AS k, version AS ve");
	sql_last(&sql, "service", "sv");
	sql_last(&sql, "host", "h");
	sql_last(&sql, "live_bytes", "l");
	sql_last(&sql, "left_bytes", "lf");
	rows_print(&sql, ", argMin(before_bytes, seq) AS f, toUInt32(min(time)) AS t0, "
			 "toUInt32(max(time)) AS t1 FROM samples");
	sql_where(&sql, options, window.since, window.until);
	sql_and(&sql, "version", options->version);
	stack_ids(&sql, id);
	rows_print(&sql,
		   " GROUP BY source, stack, version) GROUP BY sv, ve ORDER BY sv, min(t0), ve "
		   "LIMIT %zu",
		   options->limit);
	stack_ids(&which, id);
	status = stack_show(&answer, options, server, &sql, &which, window);
	rows_free(&sql);
	rows_free(&which);
	return status;
}
