/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * table.h - the tables of a fleet's server, as batches fill them; share/clickhouse has their types.
 *
 *	key | seq | time | labels | figures | tail
 *
 * Columns stand in this order in a row. `figures` are what a row says; when they are as they were,
 * the row is not sent again. `tail` is a column about the change itself.
 */
#ifndef FLEET_TABLE_H
#define FLEET_TABLE_H

#include <stdbool.h>

enum fleet_table_number {
	/* In the order in which a batch is sent: the last says that it is whole. */
	FLEET_FRAMES,
	FLEET_STACKS,
	FLEET_PROCESSES,
	FLEET_ERRORS,
	FLEET_LOST,
	FLEET_SAMPLES,
	FLEET_SOURCES,
	FLEET_BATCHES,
	FLEET_TABLES,
};

#define FLEET_LABELS 4u /* service, host, version, boot */

struct fleet_table {
	const char *name;
	unsigned int keys; /* columns */
	bool is_timed;	   /* has seq, time and labels; otherwise what it says never changes */
	bool has_tail;
	const char *zero; /* the figures of what is not there any more; NULL: nothing is said */
	const char *columns;
};

extern const struct fleet_table fleet_tables[FLEET_TABLES];

#endif
