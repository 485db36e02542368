/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* ask_hosts.c - fleet services, hosts and errors. */
#define _GNU_SOURCE
#include "ask.h"
#include "base/status.h"
#include "sql.h"

#define HOST_SECONDS SQL_DAY
#define ERROR_SECONDS (30 * SQL_DAY)

/* What each store was told to be last: s sv h ve t run lb fb ab er db dr un nr sm. */
static void hosts_sources(struct rows *sql, const struct fleet_options *options,
			  struct ask_window window)
{
	rows_print(sql, "SELECT source AS s, toUInt32(max(time)) AS t");
	sql_last(sql, "service", "sv");
	sql_last(sql, "host", "h");
	sql_last(sql, "version", "ve");
	sql_last(sql, "running", "run");
	sql_last(sql, "live_bytes", "lb");
	sql_last(sql, "left_bytes", "fb");
	sql_last(sql, "alloc_bytes", "ab");
	sql_last(sql, "errors", "er");
	sql_last(sql, "doubts", "db");
	sql_last(sql, "errors_dropped", "dr");
	sql_last(sql, "unrecorded", "un");
	sql_last(sql, "not_recorded", "nr");
	sql_last(sql, "sample_bytes", "sm");
	rows_print(sql, " FROM sources");
	sql_where(sql, options, window.since, window.until);
	rows_print(sql, " GROUP BY source HAVING s = s");
	sql_and(sql, "ve", options->version);
}

/* --- services --------------------------------------------------------------------------------- */

static const struct answer_column services_columns[] = {
	{"service", "%s", ANSWER_TEXT, false, NULL},
	{"hosts", "%s", ANSWER_COUNT, false, "host"},
	{"stores", "%s", ANSWER_COUNT, false, "store"},
	{"running", "%s running", ANSWER_COUNT, false, NULL},
	{"live_bytes", "%s live", ANSWER_BYTES, false, NULL},
	{"left_bytes", "%s left at exit", ANSWER_BYTES, true, NULL},
	{"allocated_bytes", "%s ever allocated", ANSWER_BYTES, false, NULL},
	{"errors", "%s", ANSWER_COUNT, false, "error"},
	{"doubts", "%s doubts", ANSWER_COUNT, true, NULL},
	{"errors_dropped", "%s errors without room", ANSWER_COUNT, true, NULL},
	{"unrecorded", "%s objects without room", ANSWER_COUNT, true, NULL},
	{"not_recorded", "%s programs not recorded", ANSWER_COUNT, true, NULL},
	{"sampled_stores", "%s stores sampled, so estimates", ANSWER_COUNT, true, NULL},
	{"nr_releases", "%s", ANSWER_COUNT, false, "release"},
	{"releases", "%s", ANSWER_TEXT, true, NULL},
};

int ask_services(const struct fleet_options *options, struct server *server)
{
	static const struct answer answer = {ANSWER_COLUMNS(services_columns),
					     "No service was heard in this time.", "services"};
	struct rows sql = {0};
	int status;

	rows_print(&sql,
		   "SELECT sv, uniqExact(h), count(), sum(run), sum(lb), sum(fb), sum(ab), "
		   "sum(er), sum(db), sum(dr), sum(un), sum(nr), countIf(sm > 0), uniqExact(ve), "
		   "arrayStringConcat(arraySlice(arraySort(groupUniqArray(ve)), 1, 20), ' ') "
		   "FROM (");
	hosts_sources(&sql, options, ask_window(options, HOST_SECONDS));
	rows_print(&sql, ") GROUP BY sv ORDER BY sum(lb) + sum(fb) DESC, sv LIMIT %zu",
		   options->limit);
	status = ask_show(&answer, options, server, &sql);
	rows_free(&sql);
	return status;
}

/* --- hosts ------------------------------------------------------------------------------------ */

static const struct answer_column hosts_columns[] = {
	{"host", "%s", ANSWER_TEXT, false, NULL},
	{"heard", "heard %s", ANSWER_TIME, false, NULL},
	{"stores", "%s", ANSWER_COUNT, false, "store"},
	{"services", "%s", ANSWER_COUNT, false, "service"},
	{"running", "%s running", ANSWER_COUNT, false, NULL},
	{"live_bytes", "%s live", ANSWER_BYTES, false, NULL},
	{"left_bytes", "%s left at exit", ANSWER_BYTES, true, NULL},
	{"errors", "%s", ANSWER_COUNT, false, "error"},
	{"batches", "%s", ANSWER_COUNT, false, "moment"},
	{"merged", "%s moments merged, as the spool was full", ANSWER_COUNT, true, NULL},
	{"shed", "%s rows sent later, likewise", ANSWER_COUNT, true, NULL},
	{"unread", "%s stores could not be read", ANSWER_COUNT, true, NULL},
	{"clock_steps", "its clock was set %s times", ANSWER_COUNT, true, NULL},
};

int ask_hosts(const struct fleet_options *options, struct server *server)
{
	static const struct answer answer = {ANSWER_COLUMNS(hosts_columns),
					     "No host was heard in this time.", "hosts"};
	const struct ask_window window = ask_window(options, HOST_SECONDS);
	const struct fleet_options host = {.host = options->host};
	struct rows sql = {0};
	int status;

	rows_print(&sql, "SELECT h, max(t), count(), uniqExact(sv), sum(run), sum(lb), sum(fb), "
			 "sum(er), any(n), any(mg), any(sh), any(ur), any(st) FROM (");
	hosts_sources(&sql, options, window);
	rows_print(&sql,
		   ") GLOBAL ANY LEFT JOIN (SELECT h, count() AS n, sum(m) AS mg, sum(d) AS sh, "
		   "argMax(u, q) AS ur, sum(c) AS st FROM (SELECT host AS h, seq AS q, "
		   "max(merged) AS m, max(shed) AS d, max(unread) AS u, max(clock_step_ms != 0) "
		   "AS c FROM batches");
	sql_where(&sql, &host, window.since, window.until);
	rows_print(&sql,
		   " GROUP BY host, seq) GROUP BY h) USING h GROUP BY h ORDER BY sum(lb) + "
		   "sum(fb) DESC, h LIMIT %zu",
		   options->limit);
	status = ask_show(&answer, options, server, &sql);
	rows_free(&sql);
	return status;
}

/* --- errors ----------------------------------------------------------------------------------- */

static const struct answer_column errors_columns[] = {
	{"service", "%s", ANSWER_TEXT, false, NULL},
	{"kind", "%s", ANSWER_TEXT, false, NULL},
	{"doubtful", NULL, ANSWER_BOOL, false, NULL},
	{"doubt", "%s", ANSWER_TEXT, true, NULL},
	{"signal", "signal %s", ANSWER_COUNT, true, NULL},
	{"count", "seen %s", ANSWER_COUNT, false, "time"},
	{"hosts", "on %s", ANSWER_COUNT, false, "host"},
	{"processes", "processes: %s", ANSWER_COUNT, false, NULL},
	{"since_release", "since release %s", ANSWER_TEXT, true, NULL},
	{"first_seen", "first %s", ANSWER_TIME, false, NULL},
	{"last_seen", "last %s", ANSWER_TIME, false, NULL},
	{"access", "access", ANSWER_STACK, false, NULL},
	{"allocated", "allocated", ANSWER_STACK, false, NULL},
	{"freed", "freed", ANSWER_STACK, false, NULL},
};

/* Of each source and error what was said last. */
static void errors_latest(struct rows *sql, const struct fleet_options *options,
			  struct ask_window window)
{
	rows_print(sql,
		   "SELECT source AS s, fingerprint AS e, any(kind) AS ki, any(doubtful) AS du, "
		   "any(signal) AS si, any(access) AS ac, any(alloc) AS al, any(free) AS fr, "
		   "toUInt32(min(first_seen)) AS t0, toUInt32(max(last_seen)) AS t1, "
		   "argMin(version, seq) AS ve");
	sql_last(sql, "service", "sv");
	sql_last(sql, "host", "h");
	sql_last(sql, "count", "n");
	sql_last(sql, "processes", "pr");
	rows_print(sql, " FROM errors");
	sql_where(sql, options, window.since, window.until);
	sql_and(sql, "version", options->version);
	rows_print(sql, " GROUP BY source, fingerprint");
}

/* Its columns, and the keys of its three stacks: equal errors of all builds are one. */
static void errors_keyed(struct rows *sql, const struct rows *latest)
{
	static const char columns[] = "s, ki, du, si, ac, al, fr, t0, t1, ve, sv, h, n, pr";
	struct rows access = {0}, alloc = {0};

	rows_print(&access, "SELECT %s, ka FROM ", columns);
	sql_with_key(&access, rows_text(latest), "ac", "ka");
	rows_print(&alloc, "SELECT %s, ka, kb FROM ", columns);
	sql_with_key(&alloc, rows_text(&access), "al", "kb");
	sql_with_key(sql, rows_text(&alloc), "fr", "kc");
	rows_free(&access);
	rows_free(&alloc);
}

int ask_errors(const struct fleet_options *options, struct server *server)
{
	static const struct answer answer = {ANSWER_COLUMNS(errors_columns),
					     "No error was told in this time.", "errors"};
	struct rows latest = {0}, sql = {0};
	int status;

	errors_latest(&latest, options, ask_window(options, ERROR_SECONDS));
	rows_print(&sql,
		   "SELECT sv, ki, du, if(du = 0, '', 'it may be none'), si, sum(n), "
		   "uniqExact(h), sum(pr), argMin(ve, t0), min(t0), max(t1), any(ac), any(al), "
		   "any(fr) FROM ");
	errors_keyed(&sql, &latest);
	rows_print(&sql, " GROUP BY sv, ki, du, si, ");
	sql_key(&sql, "ac", "ka");
	rows_print(&sql, ", ");
	sql_key(&sql, "al", "kb");
	rows_print(&sql, ", ");
	sql_key(&sql, "fr", "kc");
	rows_print(&sql, " ORDER BY du, sum(n) DESC LIMIT %zu", options->limit);
	status = ask_show(&answer, options, server, &sql);
	rows_free(&latest);
	rows_free(&sql);
	return status;
}
