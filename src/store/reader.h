/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* reader.h - an open store. */
#ifndef STORE_READER_H
#define STORE_READER_H

#include "format.h"
#include "stackdepot/store.h"

struct stackdepot_store {
	const void *memory;
	uint64_t mapped_bytes;
	uint64_t total_bytes;
	uint64_t corpus_events;
	struct store_layout layout;
	struct stackdepot *depot;
	int fd;			       /* to ask who is there */
	struct store_extents *extents; /* what of the file was written, see extents.c */
	struct store_module module;    /* the one last handed out */
	char text[512];		       /* the note or start last handed out */
};

static inline const void *store_at(const struct stackdepot_store *store, uint64_t offset)
{
	return (const char *)store->memory + offset;
}

/* --- stacks.c --------------------------------------------------------------------------------- */

/* As stackdepot_store_next_object(), with the slot of its process. */
int store_next_object(struct stackdepot_store *store, uint64_t *position,
		      struct stackdepot_object *ret_object, uint32_t *ret_slot);

/* Sums by line on their way; those of line 0 are without a trace. */
struct store_sums {
	struct stackdepot_store *store;
	stackdepot_select_fn *select; /* NULL: all processes count */
	void *context;
	uint32_t lines;
	struct stackdepot_stack *by_line;
};

/* 0 or -ENOMEM. */
int store_sums_begin(struct stackdepot_store *store, stackdepot_select_fn *select, void *context,
		     struct store_sums *ret_sums);
/* If its process counts. */
void store_add_object(struct store_sums *sums, const struct stackdepot_object *object);
/* What was ever allocated goes with it; the result is to be released with free(). */
void store_sums_end(struct store_sums *sums, struct stackdepot_stack **ret_stacks, size_t *ret_nr);

/* --- extents.c -------------------------------------------------------------------------------- */

/* NULL without memory. PATH is that of the file that FD is open on. */
struct store_extents *extents_open(const char *path, int fd);
void extents_close(struct store_extents *extents);
/*
 * A walk through a section, page after page: OFFSET, where the next page begins, if something may
 * have been written there, else the next page of which this is so; UINT64_MAX if there is none.
 * Pages before OFFSET need not stay in memory.
 */
uint64_t store_walk(struct stackdepot_store *store, uint64_t offset);
void store_walk_end(struct stackdepot_store *store, uint64_t offset);

#endif
