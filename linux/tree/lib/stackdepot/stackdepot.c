// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * stackdepot.c - the kernel's stack depot: the interface of <linux/stackdepot.h> on the core.
 *
 * One depot for the whole kernel, made once and never destroyed. It takes no lock and can be called
 * from anywhere; memory is allocated in front of a save, by depot_refill(), never inside.
 */
#define pr_fmt(fmt) "stackdepot: " fmt

#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kmsan.h>
#include <linux/kstrtox.h>
#include <linux/memblock.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/sizes.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>

#include "clock.h"
#include "fetch.h"
#include "glue.h"
#include "hold.h"
#include "memory.h"
#include "walk.h"

static_assert(STACK_DEPOT_EXTRA_BITS == STACKDEPOT_EXTRA_BITS);
static_assert(STACK_DEPOT_LEASE_TICKS == STACKDEPOT_RING_LEASE_TICKS);

/*
 * Unless it is told, a depot may take this share of memory, between the limits: traces of debugging
 * features that keep all of theirs (page_owner, slub_debug, generic KASAN) are to fit. Pages for
 * lines are taken as they are needed. No parameter gives a depot more than GLUE_MOST of memory.
 */
#define GLUE_SHARE 32
#define GLUE_MOST 4
#define GLUE_MIN_BYTES SZ_4M
#define GLUE_MAX_BYTES SZ_128M

/*
 * The index grows with the lines. A bucket for so many bytes of the bound makes it a 32nd of that
 * in the end, with chains of four lines in a full depot.
 */
#define GLUE_BUCKET_BYTES SZ_256
#define GLUE_MAX_BUCKETS BIT(25)

/* The pools of earlier depots: stack_depot_max_pools= gives the bytes of so many. */
#define GLUE_POOL_BYTES (4 * PAGE_SIZE)

static struct stackdepot *stack_depot;
static bool stack_depot_disabled;
static bool early_requested __initdata = IS_ENABLED(CONFIG_STACKDEPOT_ALWAYS_INIT);
static bool early_passed __initdata;
static u64 max_bytes;
static u64 max_pools_bytes;
static atomic_long_t drops_early, drops_nmi;

struct stackdepot *glue_depot(void)
{
	/*
	 * Where 64-bit atomics take a lock, a load takes it as well, and an NMI may have come while
	 * it was held.
	 */
	if (IS_ENABLED(CONFIG_GENERIC_ATOMIC64) && in_nmi()) {
		atomic_long_inc(&drops_nmi);
		return NULL;
	}
	/* Acquire: pairs with the release in glue_publish(). */
	return smp_load_acquire(&stack_depot);
}

u64 glue_max_bytes(void)
{
	return max_bytes;
}
EXPORT_SYMBOL_IF_KUNIT(glue_max_bytes);

u64 glue_bytes(void)
{
	return depot_bytes(glue_depot());
}
EXPORT_SYMBOL_IF_KUNIT(glue_bytes);

unsigned long glue_drops_early(void)
{
	return atomic_long_read(&drops_early);
}

unsigned long glue_drops_nmi(void)
{
	return atomic_long_read(&drops_nmi);
}

static int __init glue_parse_disable(char *text)
{
	return kstrtobool(text, &stack_depot_disabled);
}
early_param("stack_depot_disable", glue_parse_disable);

static int __init glue_parse_max_bytes(char *text)
{
	char *end = text;
	u64 bytes = text ? memparse(text, &end) : 0;

	if (!bytes || *end) {
		pr_err("stack_depot_max_bytes=%s is no number of bytes, ignored\n",
		       text ? text : "");
		return -EINVAL;
	}
	max_bytes = bytes;
	return 0;
}
early_param("stack_depot_max_bytes", glue_parse_max_bytes);

/* The bound as it was said to earlier depots; stack_depot_max_bytes= goes before it. */
static int __init glue_parse_max_pools(char *text)
{
	unsigned int pools;

	if (!text || kstrtouint(text, 0, &pools) || !pools) {
		pr_err("stack_depot_max_pools=%s is no number of pools, ignored\n",
		       text ? text : "");
		return -EINVAL;
	}
	max_pools_bytes = pools * (u64)GLUE_POOL_BYTES;
	return 0;
}
early_param("stack_depot_max_pools", glue_parse_max_pools);

void __init stack_depot_request_early_init(void)
{
	/* Too late: whoever asks will find no depot. */
	WARN_ON(early_passed);
	early_requested = true;
}

static u64 glue_default_bytes(u64 memory_bytes)
{
	const u64 least = min_t(u64, GLUE_MIN_BYTES, memory_bytes / 8);

	return clamp_t(u64, memory_bytes / GLUE_SHARE, least, GLUE_MAX_BYTES);
}

static struct stackdepot_options glue_options(u64 memory_bytes)
{
	struct stackdepot_options options = {
		.max_frames = CONFIG_STACKDEPOT_MAX_FRAMES,
		.lease_ticks = STACK_DEPOT_LEASE_TICKS,
	};

	if (!max_bytes)
		max_bytes = max_pools_bytes;
	if (!max_bytes)
		max_bytes = glue_default_bytes(memory_bytes);
	if (max_bytes > memory_bytes / GLUE_MOST) {
		pr_warn("%llu bytes are more than a quarter of memory, limited to that\n",
			max_bytes);
		max_bytes = memory_bytes / GLUE_MOST;
	}
	options.max_bytes = max_bytes;
	options.buckets = min_t(u64, options.max_bytes / GLUE_BUCKET_BYTES, GLUE_MAX_BUCKETS);
	return options;
}

static int glue_publish(int error, struct stackdepot *made)
{
	if (error) {
		pr_err("no depot of %llu bytes (error %d), disabling\n", max_bytes, error);
		stack_depot_disabled = true;
		return error;
	}
	pr_info("at most %llu bytes, %u lines of up to %u frames\n", max_bytes, made->nr_lines,
		DEPOT_GROUP);
	/* Pairs with glue_depot(): a depot that is seen is whole. */
	smp_store_release(&stack_depot, made);
	return 0;
}

int __init stack_depot_early_init(void)
{
	const struct stackdepot_options options = glue_options(memblock_phys_mem_size());
	struct stackdepot *made = NULL;
	int error;

	/* Only mm_core_init() calls this. */
	if (WARN_ON(early_passed))
		return 0;
	early_passed = true;
	if (stack_depot_disabled) {
		pr_info("disabled\n");
		return 0;
	}
	if (!early_requested)
		return 0;
	error = depot_create_early(&options, &made);
	return glue_publish(error, made);
}

int stack_depot_init(void)
{
	static DEFINE_MUTEX(mutex);
	int error = 0;

	mutex_lock(&mutex);
	if (!stack_depot_disabled && !stack_depot) {
		const struct stackdepot_options options =
			glue_options((u64)totalram_pages() * PAGE_SIZE);
		struct stackdepot *made = NULL;

		error = depot_create_empty(&options, &made);
		error = glue_publish(error, made);
	}
	mutex_unlock(&mutex);
	return error;
}
EXPORT_SYMBOL_GPL(stack_depot_init);

static unsigned int glue_hold(depot_flags_t flags)
{
	if (flags & STACK_DEPOT_FLAG_GET)
		return STACKDEPOT_GET;
	return flags & STACK_DEPOT_FLAG_LEASE ? 0 : STACKDEPOT_KEEP;
}

/*
 * No trace is stored that has frames outside of an interrupt's entry. So one that is found as it is
 * needs no cutting, and in a task nearly every trace is found; elsewhere it is cut at once.
 */
static depot_stack_handle_t glue_save(struct stackdepot *to, unsigned long *entries,
				      unsigned int nr_entries, unsigned int flags)
{
	depot_stack_handle_t saved;

	if (unlikely(!in_task()))
		nr_entries = filter_irq_stacks(entries, nr_entries);
	saved = depot_save(to, entries, nr_entries, flags);
	if (unlikely(!saved && nr_entries))
		glue_refused(to);
	return saved;
}

depot_stack_handle_t stack_depot_save_flags(unsigned long *entries, unsigned int nr_entries,
					    gfp_t alloc_flags, depot_flags_t depot_flags)
{
	struct stackdepot *to = glue_depot();

	if (WARN_ON(depot_flags & ~STACK_DEPOT_FLAGS_MASK))
		return 0;
	if (unlikely(!to)) {
		/* Else it is disabled, or glue_depot() has counted. */
		if (!stack_depot_disabled && !READ_ONCE(stack_depot))
			atomic_long_inc(&drops_early);
		return 0;
	}
	if (depot_flags & STACK_DEPOT_FLAG_CAN_ALLOC)
		depot_refill(to, alloc_flags);
	return glue_save(to, entries, nr_entries, glue_hold(depot_flags));
}
EXPORT_SYMBOL_GPL(stack_depot_save_flags);

depot_stack_handle_t stack_depot_save(unsigned long *entries, unsigned int nr_entries,
				      gfp_t alloc_flags)
{
	return stack_depot_save_flags(entries, nr_entries, alloc_flags, STACK_DEPOT_FLAG_CAN_ALLOC);
}
EXPORT_SYMBOL_GPL(stack_depot_save);

void stack_depot_clock(u64 tick)
{
	struct stackdepot *to = glue_depot();

	if (to)
		depot_clock_advance(to, tick);
}

unsigned int stack_depot_fetch_into(depot_stack_handle_t handle, unsigned long *entries,
				    unsigned int size)
{
	struct stackdepot *from = glue_depot();
	unsigned int nr;

	if (!handle || !from)
		return 0;
	/* A trace is as long as it is: nobody is to take a part for the whole. */
	nr = depot_fetch_whole(from, handle, entries, size);
	/* Written by code that KMSAN does not see. */
	kmsan_unpoison_memory(entries, nr * sizeof(*entries));
	return nr;
}
EXPORT_SYMBOL_GPL(stack_depot_fetch_into);

void stack_depot_put(depot_stack_handle_t handle)
{
	struct stackdepot *from = glue_depot();

	if (handle && from)
		WARN_ONCE(depot_put(from, handle), "%s of %08x without a get\n", __func__, handle);
}
EXPORT_SYMBOL_GPL(stack_depot_put);

/* Begin to walk a trace, which is held meanwhile; false if there is none. */
static bool glue_walk_begin(struct stackdepot *from, depot_stack_handle_t handle,
			    struct depot_walk *ret_walk)
{
	return handle && from && !depot_walk_begin(from, depot_trace_ref(from, handle), ret_walk) &&
	       depot_pin(from, ret_walk->ref, 0);
}

/* The next run: a few frames at a time, as a whole trace may be more than a stack has room for. */
static unsigned int glue_walk_next(struct stackdepot *from, struct depot_walk *walk,
				   unsigned long *frames)
{
	int nr = depot_walk_next(from, walk, frames);

	if (nr <= 0) {
		(void)depot_unpin(from, (u32)walk->ref);
		return 0;
	}
	/* Written by code that KMSAN does not see. */
	kmsan_unpoison_memory(frames, nr * sizeof(*frames));
	return nr;
}

void stack_depot_print(depot_stack_handle_t stack)
{
	struct stackdepot *from = glue_depot();
	unsigned long frames[DEPOT_GROUP];
	struct depot_walk walk;
	unsigned int nr;

	if (!glue_walk_begin(from, stack, &walk))
		return;
	while ((nr = glue_walk_next(from, &walk, frames)))
		stack_trace_print(frames, nr, 0);
}
EXPORT_SYMBOL_GPL(stack_depot_print);

int stack_depot_snprint(depot_stack_handle_t handle, char *buf, size_t size, int spaces)
{
	struct stackdepot *from = glue_depot();
	unsigned long frames[DEPOT_GROUP];
	struct depot_walk walk;
	size_t length = 0;
	unsigned int nr;

	if (!glue_walk_begin(from, handle, &walk))
		return 0;
	/* To the end of the trace, also if there is no more room: then it is let go. */
	while ((nr = glue_walk_next(from, &walk, frames)))
		if (length < size)
			length += stack_trace_snprint(buf + length, size - length, frames, nr,
						      spaces);
	return length;
}
EXPORT_SYMBOL_GPL(stack_depot_snprint);

depot_stack_handle_t __must_check stack_depot_set_extra_bits(depot_stack_handle_t handle,
							     unsigned int extra_bits)
{
	return depot_set_extra_bits(handle, extra_bits);
}
EXPORT_SYMBOL(stack_depot_set_extra_bits);

unsigned int stack_depot_get_extra_bits(depot_stack_handle_t handle)
{
	return depot_get_extra_bits(handle);
}
EXPORT_SYMBOL(stack_depot_get_extra_bits);
