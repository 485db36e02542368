/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * state.h - what a server was told, or will be when the spool is sent: a file in the spool.
 *
 * Kept are the figures of each row that was put into a batch last. What is as it was is not sent
 * again, but once a day everything is, so that a day of the server's needs no day before.
 */
#ifndef FLEET_STATE_H
#define FLEET_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "rows.h"
#include "table.h"

struct state_row {
	enum fleet_table_number table;
	char *source;  /* "" if it is of none */
	char *key;     /* columns */
	char *figures; /* columns; "" where there are none */
	char *tail;
	bool here;    /* it was met in this pass */
	bool gone;    /* not to be kept */
	bool touched; /* since state_begin_changes() */
};

struct state_source {
	char *id;
	char *labels;
	uint64_t day; /* when everything was sent, in days since 1970 */
	bool touched;
};

struct state {
	uint64_t seq; /* of the last batch */
	int64_t wall_less_monotonic_ms;
	char *boot;
	struct state_row *rows; /* numbers as of keys */
	size_t room;
	struct intern *keys;
	struct state_source *sources;
	size_t nr_sources;
	size_t sources_room;
};

/* Of a file; empty, if there is none. NULL after a complaint: there is one, and it is damaged. */
struct state *state_open(const char *path);
void state_close(struct state *state);
/* Whole, or not at all. False after a complaint. */
bool state_write(const struct state *state, const char *path);

/* A row; *RET_IS_NEW if it was not known. Good until the next one is asked for. */
struct state_row *state_row(struct state *state, enum fleet_table_number table, const char *source,
			    const char *key, bool *ret_is_new);
struct state_source *state_source(struct state *state, const char *id);
void state_set(char **text, const char *to);
/* Everything is to be sent again. */
void state_forget_days(struct state *state);

/* --- changes, from a process that has a copy -------------------------------------------------- */

void state_begin_changes(struct state *state);
/* In lines, after which there is an empty one. */
void state_write_changes(const struct state *state, FILE *out);
/* False: they are damaged, or not whole. */
bool state_read_changes(struct state *state, FILE *file);

#endif
