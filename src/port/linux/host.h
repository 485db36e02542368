/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * host.h - the kernel as the host of the core: lines in pages that come as they are needed.
 *
 * A kernel cannot reserve address space and have it filled as it is touched. So a depot's lines
 * come in chunks of a page: a table has a pointer for each, in the order of their lines, and
 * entries are filled front to back. depot_populate() never allocates, which is why it may be called
 * from an NMI; depot_refill() (memory.h) does, called before a save whose caller may allocate; it
 * keeps ahead.
 */
#ifndef DEPOT_HOST_H
#define DEPOT_HOST_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/prefetch.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

#define DEPOT_VARIANT(name) name

struct depot_line;

/*
 * Where the core has put the array of lines, at depot->lines, the table of chunks stands. A line is
 * asked for by those only who saw it become usable, so its chunk is there.
 */
#define DEPOT_CHUNK_LINE_BYTES 64u
#define DEPOT_CHUNK_LINES ((u32)(PAGE_SIZE / DEPOT_CHUNK_LINE_BYTES))

#define depot_chunk(depot, number) \
	((struct depot_line **)(void *)(depot)->lines + (number) / DEPOT_CHUNK_LINES)

/* What a line is, the core says later. */
static __always_inline struct depot_line *depot_chunk_line(void *table, u32 number)
{
	struct depot_line **chunks = table;
	char *chunk = (char *)READ_ONCE(chunks[number / DEPOT_CHUNK_LINES]);

	return (void *)(chunk + number % DEPOT_CHUNK_LINES * DEPOT_CHUNK_LINE_BYTES);
}

#define depot_line(depot, number) depot_chunk_line((depot)->lines, number)

/* See memory.c. */
struct stackdepot;
struct depot_geometry;
bool depot_memory_populate(struct stackdepot *depot, u32 number);

static inline bool depot_populate(struct stackdepot *depot, u32 number, unsigned int flags)
{
	return depot_memory_populate(depot, number);
}

u64 depot_memory_footprint(const struct depot_geometry *geometry);
#define depot_footprint(geometry) depot_memory_footprint(geometry)

#define depot_scratch_get(bytes) kvzalloc(bytes, GFP_KERNEL)

static inline void depot_scratch_put(void *memory, size_t bytes)
{
	kvfree(memory);
}

#endif
