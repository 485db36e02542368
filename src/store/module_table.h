/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * module_table.h - the files that the frames of a store are in, as all its processes know them.
 *
 *	dropped | index: numbers of records, by the hash of an identity | records
 *
 * A record is found by what the file is (struct store_identity), so a file that several processes
 * have, or one has twice, is one module, and one that took another's place is another. A record is
 * never changed once it can be found, and never taken out: traces have its number.
 */
#ifndef STORE_MODULE_TABLE_H
#define STORE_MODULE_TABLE_H

#include <stdbool.h>

#include "format.h"

#define STORE_DROPPED_WORDS 63u

/* Identities that found no record, by their hashes: how many there are. */
struct store_dropped {
	uint64_t hint; /* records before this one are in use, most of them */
	uint64_t word[STORE_DROPPED_WORDS];
};

struct module_table {
	struct store_dropped *dropped;
	uint16_t *index;
	struct store_module *records;
	uint32_t index_slots;
	uint32_t nr;
};

/* Of the store that is mapped at STORE. */
struct module_table module_table_at(void *store, const struct store_layout *layout);

/* The number of the module that is this; 0: none. */
uint32_t module_table_find(const struct module_table *table, const struct store_identity *identity);

/*
 * The number of MODULE, which has a record now, written by process WRITER if it had none before;
 * 0: there is no room. Its state and unused bytes of its path do not matter.
 */
uint32_t module_table_add(const struct module_table *table, uint32_t writer,
			  const struct store_module *module);

/* Note that there was no room for it. False: that is known, or so it seems. */
bool module_table_drop(const struct module_table *table, const struct store_identity *identity);

/* Process WRITER is gone: records that it left half written are free again. */
void module_table_settle(const struct module_table *table, uint32_t writer);

#endif
