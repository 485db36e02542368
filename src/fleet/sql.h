/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * sql.h - what the questions to a fleet have in common, in the SQL that ClickHouse 18.16 and
 * current versions take.
 *
 * Nothing is ever summed over rows: of each source and stack the row with the greatest `seq` says
 * what is, and sums are over those. So it does not matter how often a row is there.
 */
#ifndef FLEET_SQL_H
#define FLEET_SQL_H

#include "options.h"
#include "rows.h"

#define SQL_DAY 86400u
/* Everything is sent once a day, so within so long there is a row of all that is. */
#define SQL_WHOLE (26u * 3600)

/* " WHERE time ..." between SINCE and UNTIL, and of the service and the host that are asked for. */
void sql_where(struct rows *sql, const struct fleet_options *options, uint64_t since,
	       uint64_t until);
/* " AND COLUMN = 'VALUE'", unless VALUE is NULL. */
void sql_and(struct rows *sql, const char *column, const char *value);
/* ", argMax(COLUMN, seq) AS NAME": COLUMN of the last row. */
void sql_last(struct rows *sql, const char *column, const char *name);
/*
 * "(QUERY) GLOBAL ANY LEFT JOIN (...) USING STACK": with a column NAME, which is the same for
 * stacks of equal functions.
 */
void sql_with_key(struct rows *sql, const char *query, const char *stack, const char *name);
/* "if(NAME = 0, ..., NAME)": of a stack that nobody described, itself. */
void sql_key(struct rows *sql, const char *stack, const char *name);

#endif
