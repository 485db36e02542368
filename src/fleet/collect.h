/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * collect.h - a store as rows: those that say something that the server was not told.
 */
#ifndef FLEET_COLLECT_H
#define FLEET_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

#include "labels.h"
#include "rows.h"
#include "state.h"
#include "table.h"

struct collect {
	struct state *state;
	struct rows *tables; /* FLEET_TABLES */
	struct labels labels;
	uint64_t time;	       /* seconds since 1970 */
	uint64_t memory_bytes; /* that reading a store may take */
	bool lost;	       /* look for lost objects, too, which stops processes for a moment */
};

/*
 * A store, by its file. It is read in a process of its own, which gives up its rights as soon as
 * the store is open: where symbols are is for the store to say, and it is a stranger's. False after
 * a complaint: nothing of it is told.
 */
bool collect_store(const struct collect *collect, const char *name);

#endif
