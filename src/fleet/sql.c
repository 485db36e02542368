/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* sql.c - parts of queries. */
#include <inttypes.h>

#include "sql.h"

void sql_and(struct rows *sql, const char *column, const char *value)
{
	if (!value)
		return;
	rows_print(sql, " AND %s = ", column);
	rows_quote(sql, value);
}

void sql_where(struct rows *sql, const struct fleet_options *options, uint64_t since,
	       uint64_t until)
{
	rows_print(sql,
		   " WHERE time >= toDateTime(%" PRIu64 ") AND time <= toDateTime(%" PRIu64 ")",
		   since, until);
	sql_and(sql, "service", options->service);
	sql_and(sql, "host", options->host);
}

void sql_last(struct rows *sql, const char *column, const char *name)
{
	rows_print(sql, ", argMax(%s, seq) AS %s", column, name);
}

void sql_with_key(struct rows *sql, const char *query, const char *stack, const char *name)
{
	rows_print(sql,
		   "(%s) GLOBAL ANY LEFT JOIN (SELECT id AS %s, argMax(key, resolved) AS %s FROM "
		   "stacks GROUP BY id) USING %s",
		   query, stack, name, stack);
}

void sql_key(struct rows *sql, const char *stack, const char *name)
{
	rows_print(sql, "if(%s = 0, cityHash64(toString(%s)), %s)", name, stack, name);
}
