/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * host.h - the kernel as the host of the core: lines in pages that come as they are needed.
 *
 * A kernel cannot reserve address space and have it filled as it is touched. So a depot's lines
 * come in chunks: a table has a pointer for each, in the order of their lines, and entries are
 * filled front to back. In the same way the lines' candidates come in pages, and so do the heads of
 * an index that grows. depot_populate() and depot_populate_heads() never allocate, which is why
 * they may be called from an NMI; depot_refill() (memory.h) does, called before a save whose caller
 * may allocate; it keeps ahead.
 */
#ifndef DEPOT_HOST_H
#define DEPOT_HOST_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kconfig.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/prefetch.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/sections.h>

#define DEPOT_VARIANT(name) name

/*
 * Modules lie within 2 GiB of the kernel, before it or behind. Code elsewhere, as of BPF on some
 * machines, makes wide lines.
 */
#define DEPOT_FRAME_BITS 32
#define DEPOT_FRAME_BASE (BITS_PER_LONG == 64 ? (uintptr_t)_text - SZ_2G : 0)

/*
 * What was interrupted has nothing to do with what the interrupt did: one trace, not many. So
 * frames outside of an interrupt's entry are cut off before a trace is stored.
 */
#define depot_trim(frames, nr) filter_irq_stacks((unsigned long *)(frames), nr)

struct depot_line;

/*
 * Where the core has put the array of lines, at depot->lines, the table of chunks stands. A line is
 * asked for by those only who saw it become usable, so its chunk is there. A power of two of lines
 * is found fastest, and 256 of them are three small pages; of a larger page a quarter is not used.
 */
#define DEPOT_CHUNK_LINE_BYTES 48u
#define DEPOT_CHUNK_PAGES (IS_ENABLED(CONFIG_PAGE_SIZE_4KB) ? 3u : 1u)
#define DEPOT_CHUNK_LINES (IS_ENABLED(CONFIG_PAGE_SIZE_4KB) ? 256u : (u32)(PAGE_SIZE / 64))
#define DEPOT_CHUNK_BYTES (DEPOT_CHUNK_PAGES * PAGE_SIZE)

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

/* Was memory for a line ever allocated, so that it may be asked for? Until it is used it is 0. */
#define depot_has_line(depot, number) READ_ONCE(*depot_chunk(depot, number))

/*
 * The lowest level of candidates: a table of pages, at depot->candidates[0]. Where a word has no
 * page yet none of its lines was used; it is read as empty, and nobody writes to it.
 */
#define DEPOT_CANDIDATES_APART 1
#define DEPOT_PAGE_WORDS ((u32)(PAGE_SIZE / sizeof(long)))
#define DEPOT_PAGE_CANDIDATES (DEPOT_PAGE_WORDS * BITS_PER_LONG)

extern const unsigned long depot_no_candidates;

static inline unsigned long *depot_page_word(void *table, u32 word)
{
	unsigned long **pages = table;
	/* Acquire: pairs with memory_add_candidates(). */
	unsigned long *page = smp_load_acquire(&pages[word / DEPOT_PAGE_WORDS]);

	return page ? page + word % DEPOT_PAGE_WORDS : (unsigned long *)&depot_no_candidates;
}

#define depot_candidate_word(depot, word) depot_page_word((depot)->candidates[0], word)

/*
 * The heads of the index. Where the core has put the array of them a table of pages stands, with
 * the first ones behind it.
 */
#define DEPOT_INDEX_GROWS 1
#define DEPOT_PAGE_HEADS ((u32)(PAGE_SIZE / sizeof(atomic64_t)))

/* A page is asked for by those only who read digits that lead there, so it is there. */
static __always_inline atomic64_t *depot_page_head(void *table, u32 bucket)
{
	atomic64_t **pages = table;

	return READ_ONCE(pages[bucket / DEPOT_PAGE_HEADS]) + bucket % DEPOT_PAGE_HEADS;
}

#define depot_head(depot, bucket) depot_page_head((depot)->heads, bucket)

/* See memory.c. */
struct stackdepot;
struct depot_geometry;
bool depot_memory_populate(struct stackdepot *depot, u32 number);

/*
 * Whoever took the line before this one found their chunk there, unless a chunk begins here; line 0
 * is taken by nobody. He did so before the RMW by which the caller is to take this one. How many
 * lines are left is looked at more often.
 */
#define DEPOT_LOOK_LINES 64u

static inline bool depot_populate(struct stackdepot *depot, u32 number, unsigned int flags)
{
	return number % DEPOT_LOOK_LINES > 1 || depot_memory_populate(depot, number);
}

u64 depot_memory_heads_bytes(const struct depot_geometry *geometry);
#define depot_heads_bytes(geometry) depot_memory_heads_bytes(geometry)
bool depot_populate_heads(struct stackdepot *depot, u32 buckets);

u64 depot_memory_footprint(const struct depot_geometry *geometry);
#define depot_footprint(geometry) depot_memory_footprint(geometry)

#define depot_scratch_get(bytes) kvzalloc(bytes, GFP_KERNEL)

static inline void depot_scratch_put(void *memory, size_t bytes)
{
	kvfree(memory);
}

#endif
