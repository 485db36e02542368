/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * state.h - what the last look at the stores found, and how it came to be.
 *
 * A service is a store, under the name of its file. Two files of one name have their directory in
 * front; see state_name().
 */
#ifndef AGENT_STATE_H
#define AGENT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

/* Live bytes, the oldest first, a point each interval. */
struct state_history {
	float points[BOUND_HISTORY];
	uint32_t nr;
};

struct state_process {
	struct record_process record;
	struct state_history history;
};

struct state_store {
	struct record_store record;
	char *service;
	struct state_process *processes; /* most live bytes first */
	size_t nr;
	struct state_history history;
};

struct state {
	struct state_store *stores; /* by service */
	size_t nr;
	size_t room;
	struct find_counts counts;
	uint64_t time_ns; /* CLOCK_MONOTONIC, when it was complete; 0: never */
	uint64_t took_ns;
	uint64_t point_ns; /* when histories got their last point */
};

/* A record of a look; false if it makes no sense. RECORD_BEGIN and RECORD_END are not taken. */
bool state_add(struct state *state, const struct record *record);
/*
 * NEXT is complete: services get their names, and what BEFORE knew of them is carried over. A point
 * is added to the histories every INTERVAL.
 */
void state_finish(struct state *next, const struct state *before, uint64_t interval_ns);
void state_free(struct state *state);

/* NULL: there is none. */
const struct state_store *state_find(const struct state *state, const char *service);
/* What it has beyond the processes that are told apart. */
struct record_sums state_rest(const struct state_store *store, size_t told);

#endif
