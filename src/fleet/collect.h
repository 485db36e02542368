/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * collect.h - a store as rows: those that say something that the server was not told.
 */
#ifndef FLEET_COLLECT_H
#define FLEET_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

#include "rows.h"
#include "state.h"
#include "table.h"

struct symbols;

struct collect_labels {
	const char *service; /* NULL: the name of the store */
	const char *host;
	const char *version; /* NULL: what a file beside the store says, or nothing */
	const char *boot;    /* its UUID */
};

struct collect {
	struct state *state;
	struct rows *tables; /* FLEET_TABLES */
	struct collect_labels labels;
	uint64_t time;		 /* seconds since 1970 */
	struct symbols *symbols; /* of all stores: they have most of their files in common */
	bool lost; /* look for lost objects, too, which stops processes for a moment */
};

/* A store, by its file. False after a complaint: nothing of it is told. */
bool collect_store(const struct collect *collect, const char *name);

#endif
