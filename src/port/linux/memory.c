// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * memory.c - where a depot's memory comes from inside the kernel.
 *
 *	+---------------------+--------+---------------+-------+------------+-----------------+
 *	| struct depot_memory | header | table, first  | candi-| ring       | table of chunks |
 *	|                     |        | page of heads | dates |            |                 |
 *	+---------------------+--------+---------------+-------+------------+-----------------+
 *
 * is one block, allocated with the depot: from memblock if it is made before the page allocator is,
 * with vzalloc() later, as that takes whole pages where kmalloc() would take powers of two. Each
 * chunk is a page of its own, and so are the heads of an index that has grown.
 *
 * Bound. `reserved` is raised before a page is asked for, and no page is asked for if that makes it
 * more than there may be. So pages in the tables, on the way to them, and lent to others never
 * exceed the bound, however many CPUs refill. What is lent to others is missing in the end of the
 * table of chunks.
 *
 * Reserve. A burst of saves that may not allocate, from an interrupt say, is met by lines that were
 * allocated ahead: as many as RESERVE_TRACES fresh traces take, by the average of those saved
 * lately, but at most a quarter of the depot. Each save that may allocate brings one page, until
 * the reserve is full again. Whether it is full is looked at when a page is added, and when the
 * first line of a page is taken. A depot made early has its reserve from memblock, at once: gfp
 * flags are masked that early in a boot, so that hardly any save may allocate.
 *
 * Order. A page goes to the first empty entry of the table, by CAS. Therefore entries are filled
 * front to back, and `filled`, which follows behind, tells how many lines there are without
 * looking.
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

#define RESERVE_TRACES 1024u
#define RESERVE_LINES 2u /* a trace, as long as none were measured */

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
	return ALIGN(sizeof(struct depot_memory), DEPOT_LINE_BYTES);
}

/* Heads in the block: whole pages of them, or all if there are fewer. */
static u32 memory_first_heads(const struct depot_geometry *geometry)
{
	return min_t(u32, geometry->buckets, round_up(geometry->first_buckets, DEPOT_PAGE_HEADS));
}

static u32 memory_heads_table_bytes(u32 buckets)
{
	return ALIGN(DIV_ROUND_UP(buckets, DEPOT_PAGE_HEADS) * sizeof(atomic64_t *),
		     DEPOT_LINE_BYTES);
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

static u64 memory_block_bytes(const struct depot_geometry *geometry)
{
	return PAGE_ALIGN(memory_front_bytes() + geometry->lines_offset +
			  sizeof(struct depot_line *) * memory_chunks(geometry));
}

/* For lines, and for the heads of an index that has grown as far as it may. */
static u32 memory_pages(const struct depot_geometry *geometry)
{
	return memory_chunks(geometry) +
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
	if (!error)
		memory_place_heads(&memory->depot);
	return error;
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

void depot_destroy(struct stackdepot *depot)
{
	struct depot_memory *memory;
	u32 i;

	if (!depot)
		return;
	memory = depot_memory(depot);
	for (i = 0; i < memory->chunks; i++)
		free_page((unsigned long)*depot_chunk(depot, i * DEPOT_CHUNK_LINES));
	for (i = memory_first_heads(&depot->geometry); i < depot->nr_buckets; i += DEPOT_PAGE_HEADS)
		free_page((unsigned long)*memory_heads(depot, i));
	vfree(memory);
}

/* Put a reserved page into the table of chunks; false if that is full. */
static bool memory_add_chunk(struct depot_memory *memory, void *page)
{
	struct depot_line *lines = page;
	u32 i = READ_ONCE(memory->filled);

	/* Release: pairs with depot_populate() and depot_line(); the page was zeroed before. */
	for (;; i++) {
		if (i == memory->chunks)
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

/* Is the index to grow, now or when there are heads for it? */
static bool memory_wants_heads(struct stackdepot *depot)
{
	return depot_index_is_due(depot, READ_ONCE(depot->header->fresh));
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

/* Are there too few lines behind line `used`? */
static bool memory_is_short(struct depot_memory *memory, u64 used)
{
	return READ_ONCE(memory->filled) < memory->chunks &&
	       memory_lines_left(memory, used) < max(memory_reserve(memory), DEPOT_CHUNK_LINES);
}

/* The reserve, at once. What memblock does not have is left to depot_refill(). */
static void __init memory_fill_early(struct depot_memory *memory)
{
	struct depot_line *lines;

	while (memory_is_short(memory, 0)) {
		lines = memblock_alloc(PAGE_SIZE, PAGE_SIZE);
		if (!lines) {
			memory->is_short = true;
			return;
		}
		atomic_inc(&memory->reserved);
		(void)memory_add_chunk(memory, lines);
	}
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

bool depot_is_full(struct stackdepot *depot)
{
	struct depot_memory *memory = depot_memory(depot);

	return ((u32)atomic_read(&memory->reserved) >= memory->pages ||
		READ_ONCE(memory->filled) >= memory->chunks) &&
	       !memory_lines_left(memory, READ_ONCE(depot->header->fresh));
}

/* Looks only: in a full depot those who ask in vain do not write to what all CPUs share. */
bool depot_page_left(struct stackdepot *depot, gfp_t gfp)
{
	struct depot_memory *memory = depot_memory(depot);

	return memory_may_allocate(gfp) && (u32)atomic_read(&memory->reserved) < memory->pages;
}

void *depot_page(struct stackdepot *depot, gfp_t gfp)
{
	struct depot_memory *memory = depot_memory(depot);
	struct page *page;

	if (!depot_page_left(depot, gfp))
		return NULL;
	if ((u32)atomic_inc_return(&memory->reserved) <= memory->pages) {
		page = alloc_page(gfp_nested_mask(gfp) | __GFP_ZERO);
		if (page)
			return page_address(page);
	}
	atomic_dec(&memory->reserved);
	return NULL;
}

void depot_page_put(struct stackdepot *depot, void *page)
{
	free_page((unsigned long)page);
	atomic_dec(&depot_memory(depot)->reserved);
}

/* Put a page to where it is wanted most: lines for the reserve, then heads, then lines. */
static bool memory_add(struct depot_memory *memory, void *page)
{
	struct stackdepot *depot = &memory->depot;

	return (memory_is_short(memory, READ_ONCE(depot->header->fresh)) &&
		memory_add_chunk(memory, page)) ||
	       (memory_wants_heads(depot) && memory_add_heads(depot, page)) ||
	       memory_add_chunk(memory, page);
}

/* Is there something a page is wanted for, and a page within the bound? */
static bool memory_wants_page(struct depot_memory *memory)
{
	return (u32)atomic_read(&memory->reserved) < memory->pages &&
	       (memory_is_short(memory, READ_ONCE(memory->depot.header->fresh)) ||
		memory_wants_heads(&memory->depot));
}

void depot_refill_now(struct depot_memory *memory, gfp_t gfp)
{
	struct stackdepot *depot = &memory->depot;
	void *page = memory_wants_page(memory) ? depot_page(depot, gfp) : NULL;

	if (page && !memory_add(memory, page))
		depot_page_put(depot, page);
	depot_index_grow(depot);
	memory_measure(memory);
	/* In this order: a save that finds too few lines meanwhile is not overlooked. */
	WRITE_ONCE(memory->is_short, false);
	if (memory_wants_page(memory))
		WRITE_ONCE(memory->is_short, true);
}

/* As the public header has it: with all its memory. */
int depot_create(const struct stackdepot_options *options, struct stackdepot **ret_depot)
{
	struct depot_memory *memory;
	struct stackdepot *depot;
	int error = depot_create_empty(options, &depot);

	if (error)
		return error;
	memory = depot_memory(depot);
	while ((u32)atomic_read(&memory->reserved) < memory->pages) {
		void *page = depot_page(depot, GFP_KERNEL);

		if (!page) {
			depot_destroy(depot);
			return -ENOMEM;
		}
		if (!memory_add_heads(depot, page))
			(void)memory_add_chunk(memory, page);
	}
	*ret_depot = depot;
	return 0;
}

u64 depot_bytes(struct stackdepot *depot)
{
	struct depot_memory *memory = depot_memory(depot);

	return memory->block_bytes + (u64)PAGE_SIZE * atomic_read(&memory->reserved);
}
