// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * count.c - a counter for each trace that its user wants to count with.
 *
 * Counters are found by line number, in a tree of three levels of pages: as many numbers as the
 * depot can have lines. The pages come out of the depot's bound, and only where something is
 * counted. They are never given back, and traces with counters are kept for ever, so nothing here
 * needs a lock.
 *
 * The lowest bit of a counter says that it was used; the sum is in the others.
 */
#include <linux/export.h>
#include <linux/stackdepot.h>

#include "glue.h"
#include "memory.h"

#define COUNT_FAN (PAGE_SIZE / sizeof(void *))
#define COUNT_USED 1

struct count_page {
	union {
		struct count_page *below[COUNT_FAN];
		atomic_long_t counters[COUNT_FAN];
	};
};

static_assert(COUNT_FAN * COUNT_FAN * COUNT_FAN > STACKDEPOT_MAX_LINES);

static struct count_page *count_root;
static atomic_long_t count_drops;

unsigned long glue_drops_counters(void)
{
	return atomic_long_read(&count_drops);
}

/* The page that `slot` points to, made if there is none and gfp flags are given. */
static struct count_page *count_page(struct stackdepot *depot, struct count_page **slot, gfp_t gfp)
{
	/* Pairs with the cmpxchg() below: the page was zeroed before. */
	struct count_page *page = smp_load_acquire(slot), *made;

	if (page || !gfp)
		return page;
	made = depot_page(depot, gfp);
	if (!made)
		return NULL;
	page = cmpxchg(slot, NULL, made);
	if (!page)
		return made;
	depot_page_put(depot, made);
	return page;
}

static atomic_long_t *count_of(struct stackdepot *depot, depot_stack_handle_t handle, gfp_t gfp)
{
	u32 number = (u32)depot_trace_ref(depot, handle);
	struct count_page *page;

	if (!number)
		return NULL;
	page = count_page(depot, &count_root, gfp);
	if (page)
		page = count_page(depot, &page->below[number / COUNT_FAN / COUNT_FAN], gfp);
	if (page)
		page = count_page(depot, &page->below[number / COUNT_FAN % COUNT_FAN], gfp);
	return page ? &page->counters[number % COUNT_FAN] : NULL;
}

int stack_depot_count_add(depot_stack_handle_t handle, long delta, gfp_t alloc_flags)
{
	struct stackdepot *depot = glue_depot();
	atomic_long_t *count;

	if (!handle || !depot)
		return -ENOENT;
	count = count_of(depot, handle, alloc_flags);
	if (!count) {
		atomic_long_inc(&count_drops);
		return -ENOMEM;
	}
	atomic_long_add(delta * 2, count);
	/* Looked at before it is written: written once, read by every caller. */
	return !(atomic_long_read(count) & COUNT_USED) &&
	       !(atomic_long_fetch_or(COUNT_USED, count) & COUNT_USED);
}
EXPORT_SYMBOL_GPL(stack_depot_count_add);

long stack_depot_count(depot_stack_handle_t handle)
{
	struct stackdepot *depot = glue_depot();
	atomic_long_t *count = handle && depot ? count_of(depot, handle, 0) : NULL;

	return count ? atomic_long_read(count) >> 1 : 0;
}
EXPORT_SYMBOL_GPL(stack_depot_count);
