/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * stackdepot.h - the kernel's stack depot: stack traces, stored once each, in a bounded memory.
 *
 * The interface is the one kernels have had since 6.9. What is behind it is the stackdepot library;
 * see lib/stackdepot/. There is one depot, bounded by the boot parameter stack_depot_max_bytes=. A
 * trace lives in one of three ways:
 *
 *	kept		for ever			stack_depot_save()
 *	referenced	until it is put back		STACK_DEPOT_FLAG_GET, stack_depot_put()
 *	leased		while the clock allows it	STACK_DEPOT_FLAG_LEASE, stack_depot_clock()
 *
 * A full depot evicts what is neither kept, nor referenced, nor leased, and goes on saving.
 */
#ifndef _LINUX_STACKDEPOT_H
#define _LINUX_STACKDEPOT_H

#include <linux/gfp.h>

typedef u32 depot_stack_handle_t;
typedef u32 depot_flags_t;

/* Top bits of a handle, left to its user. */
#define STACK_DEPOT_EXTRA_BITS 5

/* The depot may allocate memory, with the gfp flags passed along. */
#define STACK_DEPOT_FLAG_CAN_ALLOC ((depot_flags_t)0x0001)
/* Take a reference, to be given back with stack_depot_put(). */
#define STACK_DEPOT_FLAG_GET ((depot_flags_t)0x0002)
/* Hold the trace while the clock is within STACK_DEPOT_LEASE_TICKS of now, without a put. */
#define STACK_DEPOT_FLAG_LEASE ((depot_flags_t)0x0004)

#define STACK_DEPOT_FLAGS_MASK \
	(STACK_DEPOT_FLAG_CAN_ALLOC | STACK_DEPOT_FLAG_GET | STACK_DEPOT_FLAG_LEASE)

#define STACK_DEPOT_LEASE_TICKS 8

/*
 * A depot is made by the first of these to come: CONFIG_STACKDEPOT_ALWAYS_INIT or
 * stack_depot_request_early_init() have it made in mm_core_init(), from memblock;
 * stack_depot_init() makes it later, in a context that may sleep. Without CONFIG_STACKDEPOT they do
 * nothing. Saves before that return 0.
 */
#ifdef CONFIG_STACKDEPOT
int stack_depot_init(void);
void __init stack_depot_request_early_init(void);
int __init stack_depot_early_init(void);
#else
static inline int stack_depot_init(void)
{
	return 0;
}

static inline void stack_depot_request_early_init(void)
{
}

static inline int stack_depot_early_init(void)
{
	return 0;
}
#endif

/**
 * stack_depot_save_flags - store a trace, or find it stored
 * @entries:	the trace, innermost frame first
 * @nr_entries:	number of its frames
 * @alloc_flags: gfp flags, if STACK_DEPOT_FLAG_CAN_ALLOC is given
 * @depot_flags: STACK_DEPOT_FLAG_*; without _GET and _LEASE the trace is kept for ever
 *
 * What an interrupt cut short, the frames outside of its entry, is not stored.
 *
 * Context: Any, NMI included. Without STACK_DEPOT_FLAG_CAN_ALLOC also where the page allocator may
 *          not be called.
 * Return: the handle of the trace, or 0 if it could not be stored; debugfs' stackdepot/stats
 *         counts why.
 */
depot_stack_handle_t stack_depot_save_flags(unsigned long *entries, unsigned int nr_entries,
					    gfp_t alloc_flags, depot_flags_t depot_flags);

/**
 * stack_depot_save - store a trace for ever
 * @entries:	the trace, innermost frame first
 * @nr_entries:	number of its frames
 * @alloc_flags: gfp flags
 *
 * Context: Where alloc_pages() may be called with @alloc_flags.
 * Return: as stack_depot_save_flags()
 */
depot_stack_handle_t stack_depot_save(unsigned long *entries, unsigned int nr_entries,
				      gfp_t alloc_flags);

/**
 * stack_depot_clock - advance the clock that leases are measured by
 * @tick:	what it shall show at least; it never goes back
 *
 * For the one user of STACK_DEPOT_FLAG_LEASE.
 *
 * Context: Any. Lock-free.
 */
void stack_depot_clock(u64 tick);

/**
 * stack_depot_fetch_into - copy a trace out
 * @handle:	from a save; 0 is allowed
 * @entries:	where to
 * @size:	room in @entries, in frames
 *
 * Context: Any. Lock-free.
 * Return: number of frames copied; 0 if there are none, because @handle is 0 or its trace was
 *         evicted, and if there are more than @size: then nothing is written.
 */
unsigned int stack_depot_fetch_into(depot_stack_handle_t handle, unsigned long *entries,
				    unsigned int size);

/**
 * stack_depot_print - print a trace to the console
 * @stack:	from a save
 */
void stack_depot_print(depot_stack_handle_t stack);

/**
 * stack_depot_snprint - print a trace into a buffer
 * @handle:	from a save
 * @buf:	the buffer
 * @size:	its size in bytes
 * @spaces:	blanks in front of each line
 *
 * Return: bytes printed
 */
int stack_depot_snprint(depot_stack_handle_t handle, char *buf, size_t size, int spaces);

/**
 * stack_depot_put - give back a reference taken with STACK_DEPOT_FLAG_GET
 * @handle:	from that save
 *
 * After the last one the trace may be evicted, when its memory is needed.
 *
 * Context: Any. Lock-free.
 */
void stack_depot_put(depot_stack_handle_t handle);

/**
 * stack_depot_set_extra_bits - put the user's bits into a handle
 * @handle:	from a save
 * @extra_bits:	STACK_DEPOT_EXTRA_BITS of them
 *
 * Return: the handle with these bits; 0 for 0. Every function here takes it.
 */
depot_stack_handle_t __must_check stack_depot_set_extra_bits(depot_stack_handle_t handle,
							     unsigned int extra_bits);

/**
 * stack_depot_get_extra_bits - the user's bits of a handle
 * @handle:	with or without
 *
 * Return: the bits; 0 if none were put in.
 */
unsigned int stack_depot_get_extra_bits(depot_stack_handle_t handle);

/**
 * stack_depot_count_add - add to the counter that a kept trace has
 * @handle:	from stack_depot_save()
 * @delta:	may be negative: then only a counter that was added to before is changed
 * @alloc_flags: gfp flags, for the counter itself; where they do not allow to allocate, 0 included,
 *		it is made of memory at hand, if there is some
 *
 * Every trace has one, 0 in the beginning, for its user to count with: page_owner counts pages. The
 * depot does nothing with it; in particular it does not hold the trace. A counter that reached 1.6
 * thousand million stays where it is, as a refcount_t does.
 *
 * Context: Where alloc_pages() may be called with @alloc_flags; with a negative @delta, any.
 * Return: 1 if the trace never had its counter added to before, else 0; a negative errno if nothing
 *         was counted, for want of memory for the counter (-ENOMEM), or as there is no such trace.
 *         What was not counted must not be counted off later.
 */
int stack_depot_count_add(depot_stack_handle_t handle, long delta, gfp_t alloc_flags);

/**
 * stack_depot_count - what stack_depot_count_add() has summed up
 * @handle:	from stack_depot_save()
 *
 * Return: the sum; 0 if nothing was ever counted, or if there is no such trace.
 */
long stack_depot_count(depot_stack_handle_t handle);

#endif
