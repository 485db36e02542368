/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The Linux port: the kernel's atomics, lines in pages that come as they are needed.
 *
 * A kernel cannot reserve address space and have it filled as it is touched. So a depot's lines
 * come in chunks of a page: a table has a pointer for each, in the order of their lines, and
 * entries are filled front to back. port_populate() never allocates, which is why it may be called
 * from an NMI; linux_refill() (memory.h) does, called before a save whose caller may allocate; it
 * keeps ahead.
 */
#ifndef PORT_IMPL_H
#define PORT_IMPL_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/prefetch.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

#define PORT_VARIANT(name) name
#define port_likely(x) likely(x)
#define port_unlikely(x) unlikely(x)
#define port_noinline noinline
#define port_prefetch_write(p) prefetchw(p)
#define port_inline static __always_inline

#define port_load_relaxed(p) READ_ONCE(*(p))
#define port_load_acquire(p) smp_load_acquire(p)
#define port_store_relaxed(p, v) WRITE_ONCE(*(p), v)
#define port_store_release(p, v) smp_store_release(p, v)
#define port_cas(p, expected, desired) try_cmpxchg(p, expected, desired)

/*
 * The kernel has no loads that take part in the order of its fully ordered operations. A full
 * barrier in front makes one: of two parties that each write a word, in whatever way, and then load
 * the other's like this, one sees what the other wrote.
 */
#define port_load_seq_cst(p)         \
	({                           \
		smp_mb();            \
		smp_load_acquire(p); \
	})

static inline atomic64_t *port_atomic64(u64 *word)
{
	BUILD_BUG_ON(sizeof(atomic64_t) != sizeof(u64));
	return (atomic64_t *)word;
}

#define port_fetch_add_relaxed(p, v) ((u64)atomic64_fetch_add_relaxed(v, port_atomic64(p)))
#define port_fetch_or(p, v) ((u64)atomic64_fetch_or((s64)(v), port_atomic64(p)))
#define port_fetch_and(p, v) ((u64)atomic64_fetch_and((s64)(v), port_atomic64(p)))

/*
 * Stronger than smp_rmb() and smp_wmb(): the one also orders later stores, the other earlier loads.
 * Where the architecture's barriers do that anyway they are taken.
 */
#if defined(CONFIG_X86)
#define port_fence_acquire() smp_rmb()
#define port_fence_release() smp_wmb()
#elif defined(CONFIG_ARM64)
#define port_fence_acquire() smp_rmb()
#define port_fence_release() smp_mb()
#else
#define port_fence_acquire() smp_mb()
#define port_fence_release() smp_mb()
#endif

/*
 * Where the core has put the array of lines, at depot->lines, the table of chunks stands. A line is
 * asked for by those only who saw it become usable, so its chunk is there.
 */
#define LINUX_CHUNK_LINES ((u32)(PAGE_SIZE / 64))

#define linux_chunk(depot, number) \
	((struct depot_line **)(void *)(depot)->lines + (number) / LINUX_CHUNK_LINES)

#define port_line(depot, number) \
	(READ_ONCE(*linux_chunk(depot, number)) + (number) % LINUX_CHUNK_LINES)

/* See memory.c. */
struct stackdepot;
struct depot_geometry;
bool linux_populate(struct stackdepot *depot, u32 number);
#define port_populate(depot, number, flags) ((void)(flags), linux_populate(depot, number))
u64 linux_footprint(const struct depot_geometry *geometry);
#define port_footprint(geometry) linux_footprint(geometry)

#define port_scratch_get(bytes) kvzalloc(bytes, GFP_KERNEL)
#define port_scratch_put(memory, bytes) ((void)(bytes), kvfree(memory))

#endif
