/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * spool.h - batches on their way to one server: a directory, whose owner alone may read it.
 *
 *	DIRECTORY/SERVER/lock		one at a time
 *	DIRECTORY/SERVER/state		see state.h
 *	DIRECTORY/SERVER/batch-SEQ-N/	a file for each table that has rows, as it is sent
 *
 * A batch is whole when it has its name, and counts when the state knows its number: one that was
 * written and the state was not, was never sent, and is made again. When there is more than fits,
 * the two oldest batches become one, in which the later row of two with one key stays: figures are
 * what was, not what was added, so the sums stay and moments go. Errors, frames and stacks are kept
 * whatever they take.
 */
#ifndef FLEET_SPOOL_H
#define FLEET_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rows.h"
#include "state.h"
#include "table.h"

struct spool {
	char *path; /* of this server */
	int lock;
	uint64_t bound; /* bytes */
	struct state *state;
};

/* One for SERVER, which is a text. False after a complaint. */
bool spool_open(struct spool *spool, const char *directory, const char *server, uint64_t bound);
void spool_close(struct spool *spool);
/* Add a batch, whose number is that of the state, and keep the state. False after a complaint. */
bool spool_add(struct spool *spool, const struct rows tables[FLEET_TABLES]);
/* Keep the state alone. */
bool spool_keep(const struct spool *spool);
/* Their names, the oldest first; to be freed, each too. */
size_t spool_list(const struct spool *spool, char ***ret_names);
void spool_list_free(char **names, size_t nr);
/* The file of a table in a batch; to be freed. */
char *spool_file(const struct spool *spool, const char *batch, enum fleet_table_number table);
/* The batch has been taken. */
void spool_remove(const struct spool *spool, const char *batch);

/* --- fit.c ------------------------------------------------------------------------------------ */

/* Merge until it fits. False after a complaint. */
bool spool_fit(struct spool *spool);

/* Write a file of rows, compressed; nothing if there are none. */
bool spool_write(const char *directory, enum fleet_table_number table, const struct rows *rows);
/* Read one that may be missing. False after a complaint. */
bool spool_read(const char *path, struct rows *ret_rows);

#endif
