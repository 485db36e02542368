/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* memory.h - what the Linux port offers to those who use a depot inside the kernel. See memory.c.
 */
#ifndef DEPOT_MEMORY_H
#define DEPOT_MEMORY_H

#include <linux/atomic.h>
#include <linux/gfp.h>

#include "depot.h"

/* A depot with what the port knows of its memory; for memory.c and depot_refill() alone. */
struct depot_memory {
	struct stackdepot depot;
	u32 pages;  /* that there may be, for lines, candidates, heads and whoever asks for one */
	u32 chunks; /* of lines, that there may be */
	u32 filled; /* that there are, or a little less */
	bool is_short; /* of lines, or of heads */
	/* What RESERVE_TRACES took lately, and up to which counters that was measured. */
	u32 reserve_lines;
	u64 measured_saved, measured_added;
	atomic_t reserved;
	u64 block_bytes;
};

/* depot_create_empty() - depot_create(), but for the lines: they come by depot_refill(). */
int depot_create_empty(const struct stackdepot_options *options, struct stackdepot **ret_depot);

/*
 * depot_create_early() - depot_create_empty() from memblock, before the page allocator is up.
 *
 * The depot cannot be destroyed.
 */
int depot_create_early(const struct stackdepot_options *options, struct stackdepot **ret_depot);

/* Allocate what is wanted most, if the context allows, and see whether more is. */
void depot_refill_now(struct depot_memory *memory, gfp_t gfp);

/*
 * depot_refill() - allocate lines ahead, if there are few, and heads for an index that is to grow.
 * @gfp: of the caller; he would be allowed to allocate pages with it here.
 *
 * Context: any in which that is so. What cannot be had is left to the next caller.
 */
static inline void depot_refill(struct stackdepot *depot, gfp_t gfp)
{
	struct depot_memory *memory = container_of(depot, struct depot_memory, depot);

	if (unlikely(READ_ONCE(memory->is_short)))
		depot_refill_now(memory, gfp);
}

/* depot_page() - a zeroed page out of the depot's bound, for bookkeeping about its lines; or NULL.
 */
void *depot_page(struct stackdepot *depot, gfp_t gfp);

/* depot_page_left() - may depot_page() be called here, and does the bound leave it one? */
bool depot_page_left(struct stackdepot *depot, gfp_t gfp);

/* depot_page_put() - give such a page back. */
void depot_page_put(struct stackdepot *depot, void *page);

/*
 * depot_reserve() - lines that are there for saves that may not allocate.
 * @ret_wanted: how many there should be.
 */
u32 depot_reserve(struct stackdepot *depot, u32 *ret_wanted);

/* depot_is_full() - is there no memory left within the bound, and no line never used? */
bool depot_is_full(struct stackdepot *depot);

/* depot_bytes() - all memory the depot has allocated up to now; never more than its max_bytes. */
u64 depot_bytes(struct stackdepot *depot);

#endif
