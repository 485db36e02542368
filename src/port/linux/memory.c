// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * memory.c - where a depot's memory comes from inside the kernel.
 *
 *	+--------+--------+---------------+-------+------+-----------+---------------+
 *	| struct | header | table, first  | upper | ring | table     | table, first  |
 *	| depot_ |        | page of heads | candi-|      | of chunks | page of candi-|
 *	| memory |        |               | dates |      |           | dates         |
 *	+--------+--------+---------------+-------+------+-----------+---------------+
 *
 * is one block, allocated with the depot: from memblock if it is made before the page allocator is,
 * with vzalloc() later, as that takes whole pages where kmalloc() would take powers of two. Chunks
 * of lines are allocated by themselves, and so are the other pages of candidates, and the heads of
 * an index that has grown.
 *
 * Bound. `reserved` is raised before pages are asked for, and none is asked for if that makes it
 * more than there may be. So pages in the tables, on the way to them, and lent to others never
 * exceed the bound, however many CPUs refill. What is lent to others is missing in the end of the
 * table of chunks.
 *
 * Reserve. A burst of saves that may not allocate, from an interrupt say, is met by lines that were
 * allocated ahead: as many as RESERVE_TRACES fresh traces take, by the average of those saved
 * lately, but at most a quarter of the depot. Each save that may allocate brings one chunk, until
 * the reserve is full again. Whether it is full is looked at when one is added, and at every
 * DEPOT_LOOK_LINES-th line that is taken. A depot made early has its reserve from memblock, at
 * once: gfp flags are masked that early in a boot, so that hardly any save may allocate.
 *
 * Order. A chunk goes to the first empty entry of the table, by CAS. Therefore entries are filled
 * front to back, and `filled`, which follows behind, tells how many lines there are without
 * looking. The page for a chunk's candidates is there before it.
 *
 * Spinning. Who may not wait for a lock of the page allocator says so by gfp flags without any
 * reclaim (gfpflags_allow_spinning()). Nothing is allocated for him: he takes of what is at hand.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/memblock.h>
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/random.h>
#include <linux/vmalloc.h>

#include "geometry.h"
#include "index.h"
#include "memory.h"

static_assert(sizeof(struct depot_line) == DEPOT_CHUNK_LINE_BYTES);
static_assert(DEPOT_CHUNK_LINES * DEPOT_CHUNK_LINE_BYTES <= DEPOT_CHUNK_BYTES);
static_assert(DEPOT_CHUNK_LINES % DEPOT_LOOK_LINES == 0);
static_assert(DEPOT_PAGE_CANDIDATES % DEPOT_CHUNK_LINES == 0);

#define RESERVE_TRACES 1024u
#define RESERVE_LINES 2u /* a trace, as long as none were measured */

const unsigned long depot_no_candidates;

static struct depot_memory *depot_memory(struct stackdepot *depot)
{
	return container_of(depot, struct depot_memory, depot);
}

static u32 memory_chunks(const struct depot_geometry *geometry)
{
	return geometry->lines / DEPOT_CHUNK_LINES + 1;
}

static u64 memory_front_bytes(void)
{
	return ALIGN(sizeof(struct depot_memory), DEPOT_CACHE_BYTES);
}

/* Heads in the block: whole pages of them, or all if there are fewer. */
static u32 memory_first_heads(const struct depot_geometry *geometry)
{
	return min_t(u32, geometry->buckets, round_up(geometry->first_buckets, DEPOT_PAGE_HEADS));
}

static u32 memory_heads_table_bytes(u32 buckets)
{
	return ALIGN(DIV_ROUND_UP(buckets, DEPOT_PAGE_HEADS) * sizeof(atomic64_t *),
		     DEPOT_CACHE_BYTES);
}

u64 depot_memory_heads_bytes(const struct depot_geometry *geometry)
{
	return memory_heads_table_bytes(geometry->buckets) +
	       (u64)sizeof(atomic64_t) * memory_first_heads(geometry);
}

static atomic64_t **memory_heads(struct stackdepot *depot, u32 bucket)
{
	return (atomic64_t **)(void *)depot->heads + bucket / DEPOT_PAGE_HEADS;
}

static void memory_place_heads(struct stackdepot *depot)
{
	char *first = (char *)depot->heads + memory_heads_table_bytes(depot->nr_buckets);
	u32 bucket;

	for (bucket = 0; bucket < memory_first_heads(&depot->geometry); bucket += DEPOT_PAGE_HEADS)
		WRITE_ONCE(*memory_heads(depot, bucket), (atomic64_t *)first + bucket);
}

static u32 memory_candidate_words(const struct depot_geometry *geometry)
{
	return geometry->lines / BITS_PER_LONG + 1;
}

static u32 memory_candidate_pages(const struct depot_geometry *geometry)
{
	return DIV_ROUND_UP(memory_candidate_words(geometry), DEPOT_PAGE_WORDS);
}

/* The table of pages, and the first of them, as far as there are words for it. */
static u64 memory_candidates_bytes(const struct depot_geometry *geometry)
{
	return sizeof(unsigned long *) * memory_candidate_pages(geometry) +
	       sizeof(unsigned long) * min(memory_candidate_words(geometry), DEPOT_PAGE_WORDS);
}

static u64 memory_candidates_offset(const struct depot_geometry *geometry)
{
	return geometry->lines_offset + sizeof(struct depot_line *) * memory_chunks(geometry);
}

/* Where the page of candidates of a chunk's lines is. */
static unsigned long **memory_candidates(struct stackdepot *depot, u32 chunk)
{
	return (unsigned long **)(void *)depot->candidates[0] +
	       chunk / (DEPOT_PAGE_CANDIDATES / DEPOT_CHUNK_LINES);
}

static void memory_place_candidates(struct stackdepot *depot, char *block)
{
	const struct depot_geometry *geometry = &depot->geometry;

	depot->candidates[0] = (void *)(block + memory_candidates_offset(geometry));
	WRITE_ONCE(*memory_candidates(depot, 0),
		   depot->candidates[0] + memory_candidate_pages(geometry));
}

static u64 memory_block_bytes(const struct depot_geometry *geometry)
{
	return PAGE_ALIGN(memory_front_bytes() + memory_candidates_offset(geometry) +
			  memory_candidates_bytes(geometry));
}

/* For lines, their candidates, and the heads of an index that has grown as far as it may. */
static u32 memory_pages(const struct depot_geometry *geometry)
{
	return DEPOT_CHUNK_PAGES * memory_chunks(geometry) + memory_candidate_pages(geometry) - 1 +
	       DIV_ROUND_UP(geometry->buckets - memory_first_heads(geometry), DEPOT_PAGE_HEADS);
}

u64 depot_memory_footprint(const struct depot_geometry *geometry)
{
	return memory_block_bytes(geometry) + (u64)PAGE_SIZE * memory_pages(geometry);
}

static int memory_plan(const struct stackdepot_options *options,
		       struct depot_geometry *ret_geometry)
{
	const u64 seed = get_random_u64();

	return depot_plan(options, seed ? seed : 1, ret_geometry);
}

static int memory_open(struct depot_memory *memory, const struct depot_geometry *geometry)
{
	void *block = (char *)memory + memory_front_bytes();
	int error;

	memory->chunks = memory_chunks(geometry);
	memory->pages = memory_pages(geometry);
	memory->block_bytes = memory_block_bytes(geometry);
	memory->reserve_lines = RESERVE_TRACES * RESERVE_LINES;
	depot_format(block, geometry);
	error = depot_open(&memory->depot, block, geometry->total_bytes);
	if (error)
		return error;
	memory_place_heads(&memory->depot);
	memory_place_candidates(&memory->depot, block);
	return 0;
}

int depot_create_empty(const struct stackdepot_options *options, struct stackdepot **ret_depot)
{
	struct depot_geometry geometry;
	struct depot_memory *memory;
	int error = memory_plan(options, &geometry);

	if (error)
		return error;
	memory = vzalloc(memory_block_bytes(&geometry));
	if (!memory)
		return -ENOMEM;
	error = memory_open(memory, &geometry);
	if (error) {
		vfree(memory);
		return error;
	}
	depot_refill_now(memory, GFP_KERNEL);
	*ret_depot = &memory->depot;
	return 0;
}

static void memory_free_chunk(void *lines)
{
	if (lines)
		free_pages_exact(lines, DEPOT_CHUNK_BYTES);
}

void depot_destroy(struct stackdepot *depot)
{
	struct depot_memory *memory;
	u32 i;

	if (!depot)
		return;
	memory = depot_memory(depot);
	for (i = 0; i < memory->chunks; i++)
		memory_free_chunk(*depot_chunk(depot, i * DEPOT_CHUNK_LINES));
	for (i = 1; i < memory_candidate_pages(&depot->geometry); i++)
		free_page((unsigned long)((unsigned long **)(void *)depot->candidates[0])[i]);
	for (i = memory_first_heads(&depot->geometry); i < depot->nr_buckets; i += DEPOT_PAGE_HEADS)
		free_page((unsigned long)*memory_heads(depot, i));
	vfree(memory);
}

/* Put a chunk into the table; false if that is full, or the chunk would have no candidates. */
static bool memory_add_chunk(struct depot_memory *memory, struct depot_line *lines)
{
	u32 i = READ_ONCE(memory->filled);

	/* Release: pairs with depot_populate() and depot_line(); the chunk was zeroed before. */
	for (;; i++) {
		if (i == memory->chunks || !READ_ONCE(*memory_candidates(&memory->depot, i)))
			return false;
		if (!cmpxchg(depot_chunk(&memory->depot, i * DEPOT_CHUNK_LINES), NULL, lines))
			break;
	}
	/* Somebody else may be between the two steps with an earlier entry: count his too. */
	for (i = READ_ONCE(memory->filled); i < memory->chunks;) {
		if (!READ_ONCE(*depot_chunk(&memory->depot, i * DEPOT_CHUNK_LINES)))
			break;
		if (try_cmpxchg(&memory->filled, &i, i + 1))
			i++;
	}
	return true;
}

/* Are there no candidates for the next chunk? */
static bool memory_wants_candidates(struct depot_memory *memory)
{
	const u32 next = READ_ONCE(memory->filled);

	return next < memory->chunks && !READ_ONCE(*memory_candidates(&memory->depot, next));
}

/* Put a reserved page in as candidates; false if somebody else has. */
static bool memory_add_candidates(struct depot_memory *memory, void *page)
{
	const u32 next = READ_ONCE(memory->filled);

	/* Release: the page was zeroed before. */
	return next < memory->chunks &&
	       !cmpxchg(memory_candidates(&memory->depot, next), NULL, page);
}

bool depot_populate_heads(struct stackdepot *depot, u32 buckets)
{
	/* Acquire: pairs with memory_add_heads(). Pages come front to back, so this is the last. */
	if (smp_load_acquire(memory_heads(depot, buckets - 1)))
		return true;
	WRITE_ONCE(depot_memory(depot)->is_short, true);
	return false;
}

/* Put a reserved page into the table of heads; false if somebody else has put in the last. */
static bool memory_add_heads(struct stackdepot *depot, void *page)
{
	atomic64_t *heads = page;
	u32 bucket = memory_first_heads(&depot->geometry);

	for (; bucket < depot->nr_buckets; bucket += DEPOT_PAGE_HEADS)
		/* Release: the page was zeroed before. */
		if (!cmpxchg(memory_heads(depot, bucket), NULL, heads))
			return true;
	return false;
}

static u64 memory_counter(struct depot_memory *memory, enum depot_counter counter)
{
	return atomic64_read(&memory->depot.header->counters[counter]);
}

/*
 * How many lines did traces take that were saved lately? Two who measure at once may both do so.
 * Who read the counters before another did, and what was measured after that, would go back in
 * time: he leaves it as it is.
 */
static void memory_measure(struct depot_memory *memory)
{
	const u64 saved = memory_counter(memory, COUNT_SAVED);
	const u64 added = memory_counter(memory, COUNT_LINES_ADDED);
	const s64 traces = saved - READ_ONCE(memory->measured_saved);
	const s64 taken = added - READ_ONCE(memory->measured_added);
	u64 lines;

	if (traces < (s64)RESERVE_TRACES || taken < 0)
		return;
	lines = div64_u64(RESERVE_TRACES * (u64)taken, traces) + 1;
	WRITE_ONCE(memory->reserve_lines, min_t(u64, lines, RESERVE_TRACES * DEPOT_MAX_GROUPS));
	WRITE_ONCE(memory->measured_saved, saved);
	WRITE_ONCE(memory->measured_added, added);
}

/* Lines that are to be there for RESERVE_TRACES. */
static u32 memory_reserve(struct depot_memory *memory)
{
	return min(READ_ONCE(memory->reserve_lines), memory->depot.nr_lines / 4);
}

static u32 memory_lines_left(struct depot_memory *memory, u64 used)
{
	const u64 lines = (u64)READ_ONCE(memory->filled) * DEPOT_CHUNK_LINES;

	/* Line 0 is never used. */
	return lines > used + 1 ? lines - used - 1 : 0;
}

/* Are there too few lines behind line `used`? Some are taken before this is looked at again. */
static bool memory_is_short(struct depot_memory *memory, u64 used)
{
	return READ_ONCE(memory->filled) < memory->chunks &&
	       memory_lines_left(memory, used) < memory_reserve(memory) + DEPOT_LOOK_LINES;
}

/* The reserve, at once. What memblock does not have is left to depot_refill(). */
static void __init memory_fill_early(struct depot_memory *memory)
{
	struct depot_line *lines;

	while (memory_is_short(memory, 0) && !memory_wants_candidates(memory)) {
		lines = memblock_alloc(DEPOT_CHUNK_BYTES, PAGE_SIZE);
		if (!lines)
			break;
		atomic_add(DEPOT_CHUNK_PAGES, &memory->reserved);
		(void)memory_add_chunk(memory, lines);
	}
	memory->is_short = memory_is_short(memory, 0);
}

int __init depot_create_early(const struct stackdepot_options *options,
			      struct stackdepot **ret_depot)
{
	struct depot_geometry geometry;
	struct depot_memory *memory;
	int error = memory_plan(options, &geometry);

	if (error)
		return error;
	memory = memblock_alloc(memory_block_bytes(&geometry), PAGE_SIZE);
	if (!memory)
		return -ENOMEM;
	error = memory_open(memory, &geometry);
	if (error)
		return error;
	memory_fill_early(memory);
	*ret_depot = &memory->depot;
	return 0;
}

u32 depot_reserve(struct stackdepot *depot, u32 *ret_wanted)
{
	struct depot_memory *memory = depot_memory(depot);

	*ret_wanted = memory_reserve(memory);
	return memory_lines_left(memory, READ_ONCE(depot->header->fresh));
}

bool depot_memory_populate(struct stackdepot *depot, u32 number)
{
	struct depot_memory *memory = depot_memory(depot);

	if (memory_is_short(memory, number))
		WRITE_ONCE(memory->is_short, true);
	/* Acquire: pairs with the release in memory_add_chunk(). */
	return smp_load_acquire(depot_chunk(depot, number));
}

/*
 * On PREEMPT_RT the page allocator takes sleeping locks, whatever the flags say. Nobody holds one
 * before there is a second task, and preemption is off until then.
 */
static bool memory_may_allocate(gfp_t gfp)
{
	if (in_nmi() || !gfpflags_allow_spinning(gfp))
		return false;
	return !IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible() ||
	       (system_state < SYSTEM_SCHEDULING && !in_hardirq());
}

/* Does the bound leave so many pages? */
static bool memory_has_left(struct depot_memory *memory, u32 pages)
{
	return (u32)atomic_read(&memory->reserved) + pages <= memory->pages;
}

bool depot_is_full(struct stackdepot *depot)
{
	struct depot_memory *memory = depot_memory(depot);

	return (!memory_has_left(memory, DEPOT_CHUNK_PAGES) ||
		READ_ONCE(memory->filled) >= memory->chunks) &&
	       !memory_lines_left(memory, READ_ONCE(depot->header->fresh));
}

/* Looks only: in a full depot those who ask in vain do not write to what all CPUs share. */
bool depot_page_left(struct stackdepot *depot, gfp_t gfp)
{
	return memory_may_allocate(gfp) && memory_has_left(depot_memory(depot), 1);
}

/* Zeroed pages out of the bound, or NULL. */
static void *memory_get(struct depot_memory *memory, u32 pages, gfp_t gfp)
{
	void *address;

	if (!memory_may_allocate(gfp) || !memory_has_left(memory, pages))
		return NULL;
	if ((u32)atomic_add_return(pages, &memory->reserved) <= memory->pages) {
		address = alloc_pages_exact(pages * PAGE_SIZE, gfp_nested_mask(gfp) | __GFP_ZERO);
		if (address)
			return address;
	}
	atomic_sub(pages, &memory->reserved);
	return NULL;
}

static void memory_put(struct depot_memory *memory, u32 pages, void *address)
{
	free_pages_exact(address, pages * PAGE_SIZE);
	atomic_sub(pages, &memory->reserved);
}

void *depot_page(struct stackdepot *depot, gfp_t gfp)
{
	return memory_get(depot_memory(depot), 1, gfp);
}

void depot_page_put(struct stackdepot *depot, void *page)
{
	memory_put(depot_memory(depot), 1, page);
}

/* Add what a chunk of lines wants. False if it is not to be had. */
static bool memory_bring_lines(struct depot_memory *memory, gfp_t gfp)
{
	const bool candidates = memory_wants_candidates(memory);
	const u32 pages = candidates ? 1 : DEPOT_CHUNK_PAGES;
	void *address = memory_get(memory, pages, gfp);

	if (!address)
		return false;
	if (candidates ? !memory_add_candidates(memory, address)
		       : !memory_add_chunk(memory, address))
		memory_put(memory, pages, address);
	return true;
}

static bool memory_bring_heads(struct depot_memory *memory, gfp_t gfp)
{
	void *page = memory_get(memory, 1, gfp);

	if (page && !memory_add_heads(&memory->depot, page))
		memory_put(memory, 1, page);
	return page;
}

/* Are lines wanted for the reserve, or heads, and does the bound leave memory for them? */
static bool memory_wants_lines(struct depot_memory *memory)
{
	return memory_is_short(memory, READ_ONCE(memory->depot.header->fresh)) &&
	       memory_has_left(memory, memory_wants_candidates(memory) ? 1 : DEPOT_CHUNK_PAGES);
}

static bool memory_wants_heads(struct depot_memory *memory)
{
	return depot_index_is_due(&memory->depot, READ_ONCE(memory->depot.header->fresh)) &&
	       memory_has_left(memory, 1);
}

void depot_refill_now(struct depot_memory *memory, gfp_t gfp)
{
	struct stackdepot *depot = &memory->depot;

	memory_measure(memory);
	if (memory_wants_lines(memory))
		(void)memory_bring_lines(memory, gfp);
	else if (memory_wants_heads(memory))
		(void)memory_bring_heads(memory, gfp);
	depot_index_grow(depot);
	/* In this order: a save that finds too few lines meanwhile is not overlooked. */
	WRITE_ONCE(memory->is_short, false);
	if (memory_wants_lines(memory) || memory_wants_heads(memory))
		WRITE_ONCE(memory->is_short, true);
}

/* As the public header has it: with all its memory. */
int depot_create(const struct stackdepot_options *options, struct stackdepot **ret_depot)
{
	struct depot_memory *memory;
	struct stackdepot *depot;
	int error = depot_create_empty(options, &depot);
	bool more = true;

	if (error)
		return error;
	memory = depot_memory(depot);
	while (more && READ_ONCE(memory->filled) < memory->chunks)
		more = memory_bring_lines(memory, GFP_KERNEL);
	while (more && (u32)atomic_read(&memory->reserved) < memory->pages)
		more = memory_bring_heads(memory, GFP_KERNEL);
	if (!more) {
		depot_destroy(depot);
		return -ENOMEM;
	}
	*ret_depot = depot;
	return 0;
}

u64 depot_bytes(struct stackdepot *depot)
{
	struct depot_memory *memory = depot_memory(depot);

	return memory->block_bytes + (u64)PAGE_SIZE * atomic_read(&memory->reserved);
}
