// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * count.c - a counter for each trace that its user wants to count with.
 *
 * Counters are found by line number, in two levels of pages below a table: as many numbers as the
 * depot can have lines. The pages come out of the depot's bound, and only where something is
 * counted. They are never given back, and traces with counters are kept for ever, so nothing here
 * needs a lock.
 *
 * Spares. Who counts may not always allocate: early in the boot no gfp flags allow to reclaim, and
 * GFP_KERNEL is masked to none at all; nor do those of SLUB's attempts at large slabs. So some
 * pages are at hand, with the counters of COUNT_SPARES * COUNT_LEAF lines, once somebody counted
 * who may allocate: whoever may brings those that are missing. Pages that are allocated for that
 * may be counted in turn; nobody brings spares meanwhile. A counter is made by what is added to it.
 * Who only reads it, or subtracts, makes none: nothing was counted there.
 *
 * A counter has 32 bits. It is COUNT_ZERO and the sum, or 0 if it was never used. One that grew
 * beyond COUNT_MOST stays there, as a refcount_t does: 6 TiB of small pages by one trace.
 */
#include <linux/export.h>
#include <linux/stackdepot.h>

#include "glue.h"
#include "memory.h"

#define COUNT_FAN (PAGE_SIZE / sizeof(void *))
#define COUNT_LEAF (PAGE_SIZE / sizeof(atomic_t))
#define COUNT_ROOTS (STACKDEPOT_MAX_LINES / COUNT_LEAF / COUNT_FAN + 1)
#define COUNT_ZERO 0x80000000u
#define COUNT_MOST 0x60000000
#define COUNT_SATURATED 0x70000000
#define COUNT_SPARES 2
#define COUNT_TAKEN ((struct count_page *)1)

struct count_page {
	union {
		struct count_page *below[COUNT_FAN];
		atomic_t counters[COUNT_LEAF];
	};
};

static struct count_page *count_roots[COUNT_ROOTS];
static struct count_page *count_spares[COUNT_SPARES];
static unsigned int count_refilling;
static atomic_long_t count_drops;

unsigned long glue_drops_counters(void)
{
	return atomic_long_read(&count_drops);
}

/*
 * Put a spare where `slot` has no page. A slot of count_spares is the caller's as long as it is
 * COUNT_TAKEN: so there is a place for a spare that is not needed, as nobody may free it here.
 */
static struct count_page *count_page_spare(struct count_page **slot)
{
	u32 i;

	for (i = 0; i < COUNT_SPARES; i++) {
		struct count_page *spare = READ_ONCE(count_spares[i]), *page;

		if (!spare || spare == COUNT_TAKEN ||
		    cmpxchg(&count_spares[i], spare, COUNT_TAKEN) != spare)
			continue;
		page = cmpxchg(slot, NULL, spare);
		/* Pairs with the cmpxchg() above, whose caller is to find a zeroed page. */
		smp_store_release(&count_spares[i], page ? spare : NULL);
		return page ? page : spare;
	}
	return NULL;
}

/* Bring the spares that are missing, unless somebody is at it. */
static void count_refill(struct stackdepot *depot, gfp_t gfp)
{
	struct count_page *page;
	u32 i = 0;

	while (i < COUNT_SPARES && READ_ONCE(count_spares[i]))
		i++;
	/* In a full depot spares stay missing: then nobody is to write what all CPUs share. */
	if (i == COUNT_SPARES || !depot_page_left(depot, gfp) || xchg(&count_refilling, 1))
		return;
	for (i = 0; i < COUNT_SPARES; i++) {
		if (READ_ONCE(count_spares[i]))
			continue;
		page = depot_page(depot, gfp);
		if (!page)
			break;
		/* Pairs with the cmpxchg() of who takes it: the page was zeroed before. */
		smp_store_release(&count_spares[i], page);
	}
	/* Pairs with the xchg() above: who is next sees these spares. */
	smp_store_release(&count_refilling, 0);
}

/*
 * The page that `slot` points to. If there is none `make` has one allocated, or taken of the
 * spares: gfp flags do not say whether that is wanted, as 0 is what a caller may have.
 */
static struct count_page *count_page(struct stackdepot *depot, struct count_page **slot, bool make,
				     gfp_t gfp)
{
	/* Pairs with the cmpxchg() of who makes it: the page was zeroed before. */
	struct count_page *page = smp_load_acquire(slot), *made;

	if (page || !make)
		return page;
	made = depot_page(depot, gfp);
	if (!made)
		return count_page_spare(slot);
	page = cmpxchg(slot, NULL, made);
	if (!page)
		return made;
	depot_page_put(depot, made);
	return page;
}

static atomic_t *count_of(struct stackdepot *depot, depot_stack_handle_t handle, bool make,
			  gfp_t gfp)
{
	const u32 number = (u32)depot_trace_ref(depot, handle), leaf = number / COUNT_LEAF;
	struct count_page *page;

	if (!number)
		return NULL;
	page = count_page(depot, &count_roots[leaf / COUNT_FAN], make, gfp);
	if (page)
		page = count_page(depot, &page->below[leaf % COUNT_FAN], make, gfp);
	return page ? &page->counters[number % COUNT_LEAF] : NULL;
}

/* What a counter stands for. */
static int count_sum(int counter)
{
	return (int)((u32)counter - COUNT_ZERO);
}

int stack_depot_count_add(depot_stack_handle_t handle, long delta, gfp_t alloc_flags)
{
	struct stackdepot *depot = glue_depot();
	const bool make = delta >= 0;
	int counter, first, sum;
	atomic_t *count;

	if (!handle || !depot)
		return -ENOENT;
	count = count_of(depot, handle, make, alloc_flags);
	counter = count ? atomic_read(count) : 0;
	if (!count || (!make && !counter)) {
		atomic_long_inc(&count_drops);
		return -ENOMEM;
	}
	/* Looked at before it is written: written once, read by every caller. */
	first = !counter && !atomic_cmpxchg_relaxed(count, 0, (int)(counter | COUNT_ZERO));
	delta = clamp_t(long, delta, -COUNT_MOST, COUNT_MOST);
	sum = count_sum(atomic_add_return_relaxed((int)delta, count));
	if (unlikely(sum > COUNT_MOST || sum < -COUNT_MOST))
		atomic_set(count, (int)(COUNT_ZERO + COUNT_SATURATED));
	if (make)
		count_refill(depot, alloc_flags);
	return first;
}
EXPORT_SYMBOL_GPL(stack_depot_count_add);

long stack_depot_count(depot_stack_handle_t handle)
{
	struct stackdepot *depot = glue_depot();
	atomic_t *count = handle && depot ? count_of(depot, handle, false, 0) : NULL;
	const int counter = count ? atomic_read(count) : 0;

	return counter ? count_sum(counter) : 0;
}
EXPORT_SYMBOL_GPL(stack_depot_count);
