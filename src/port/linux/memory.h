/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* memory.h - what the Linux port offers to those who use a depot inside the kernel. See memory.c.
 */
#ifndef PORT_LINUX_MEMORY_H
#define PORT_LINUX_MEMORY_H

#include <linux/atomic.h>
#include <linux/gfp.h>

#include "depot.h"

/* A depot with what the port knows of its memory; for memory.c and linux_refill() alone. */
struct linux_memory {
	struct stackdepot depot;
	u32 chunks; /* that there may be */
	u32 filled; /* that there are, or a little less */
	bool short_of_lines;
	/* What LINUX_RESERVE_TRACES took lately, and up to which counters that was measured. */
	u32 reserve_lines;
	u64 measured_saved, measured_added;
	atomic_t reserved;
	u64 block_bytes;
};

/* linux_create() - stackdepot_create(), but for the lines: they come by linux_refill(). */
int linux_create(const struct stackdepot_options *options, struct stackdepot **ret_depot);

/*
 * linux_create_early() - linux_create() from memblock, before the page allocator is up.
 *
 * The depot cannot be destroyed.
 */
int linux_create_early(const struct stackdepot_options *options, struct stackdepot **ret_depot);

/* Allocate a chunk, if the context allows, and see whether lines are still short. */
void linux_refill_now(struct linux_memory *memory, gfp_t gfp);

/*
 * linux_refill() - allocate lines ahead, if there are few.
 * @gfp: of the caller; he would be allowed to call alloc_page() with it here.
 *
 * Context: any in which that is so. What cannot be had is left to the next caller.
 */
static inline void linux_refill(struct stackdepot *depot, gfp_t gfp)
{
	struct linux_memory *memory = container_of(depot, struct linux_memory, depot);

	if (unlikely(READ_ONCE(memory->short_of_lines)))
		linux_refill_now(memory, gfp);
}

/* linux_page() - a zeroed page out of the depot's bound, for bookkeeping about its lines; or NULL.
 */
void *linux_page(struct stackdepot *depot, gfp_t gfp);

/* linux_page_put() - give such a page back. */
void linux_page_put(struct stackdepot *depot, void *page);

/*
 * linux_reserve() - lines that are there for saves that may not allocate.
 * @ret_wanted: how many there should be.
 */
u32 linux_reserve(struct stackdepot *depot, u32 *ret_wanted);

/* linux_is_full() - is there no memory left within the bound, and no line never used? */
bool linux_is_full(struct stackdepot *depot);

/* linux_bytes() - all memory the depot has allocated up to now; never more than its max_bytes. */
u64 linux_bytes(struct stackdepot *depot);

#endif
