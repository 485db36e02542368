/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * host.h - user space as the host of the core: the kernel's words by the compiler's builtins, lines
 * in one mapping. docs/design.md says what a host must supply.
 */
#ifndef PORT_HOST_H
#define PORT_HOST_H

#include "words.h"

/* Of a frame in a line: addresses of user space and their like, or all there are. */
#define DEPOT_FRAME_BITS (BITS_PER_LONG == 64 ? 48 : 32)
#define DEPOT_FRAME_BASE (BITS_PER_LONG == 64 ? (uintptr_t)-1 << 47 : 0)

/* Compiled twice for x86-64, see variant.c. */
#ifndef DEPOT_VARIANT
#define DEPOT_VARIANT(name) name
#endif

#define depot_has_line(depot, number) true
#define depot_trim(frames, nr) (nr)

#define prefetchw(p) __builtin_prefetch(p, 1)

/* A signal handler may come anywhere: with a lock it would wait for what it interrupted. */
static_assert(__atomic_always_lock_free(sizeof(u64), 0), "64-bit atomics take no lock");

#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, value) __atomic_store_n(&(x), value, __ATOMIC_RELAXED)
/* The kernel does so for what is no wider than a word; beyond that there is atomic64_t. */
#define HOST_WORD(p)                                                                              \
	({                                                                                        \
		static_assert(sizeof(*(p)) <= sizeof(long), "wider than a word, so not at once"); \
		(p);                                                                              \
	})
#define smp_load_acquire(p) __atomic_load_n(HOST_WORD(p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, value) __atomic_store_n(HOST_WORD(p), value, __ATOMIC_RELEASE)
#define smp_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

/*
 * A read-modify-write that succeeds is a full barrier in the kernel. On x86 it is one; elsewhere a
 * sequentially consistent one need not be for what is not itself sequentially consistent.
 */
#if defined(__x86_64__) || defined(__i386__)
#define HOST_FULL_BARRIER() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#else
#define HOST_FULL_BARRIER() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

#define HOST_TRY_CMPXCHG(p, expected, desired)                                                    \
	({                                                                                        \
		bool host_done = __atomic_compare_exchange_n(p, expected, desired, false,         \
							     __ATOMIC_SEQ_CST, __ATOMIC_RELAXED); \
		HOST_FULL_BARRIER();                                                              \
		host_done;                                                                        \
	})

#define try_cmpxchg(p, expected, desired) HOST_TRY_CMPXCHG(HOST_WORD(p), expected, desired)

#define atomic64_read(v) ((u64)READ_ONCE((v)->counter))
#define atomic64_read_acquire(v) ((u64)__atomic_load_n(&(v)->counter, __ATOMIC_ACQUIRE))
#define atomic64_set(v, value) WRITE_ONCE((v)->counter, (s64)(value))
#define atomic64_set_release(v, value) \
	__atomic_store_n(&(v)->counter, (s64)(value), __ATOMIC_RELEASE)
#define atomic64_try_cmpxchg(v, expected, desired) \
	HOST_TRY_CMPXCHG(&(v)->counter, (s64 *)(expected), (s64)(desired))
#define atomic64_fetch_add_relaxed(value, v) \
	((u64)__atomic_fetch_add(&(v)->counter, value, __ATOMIC_RELAXED))
#define atomic64_inc(v) ((void)atomic64_fetch_add_relaxed(1, v))

static inline bool test_bit(unsigned long bit, const unsigned long *bits)
{
	return READ_ONCE(bits[bit / BITS_PER_LONG]) >> bit % BITS_PER_LONG & 1;
}

static inline bool test_and_set_bit(unsigned long bit, unsigned long *bits)
{
	const unsigned long mask = 1ul << bit % BITS_PER_LONG;
	unsigned long *word = &bits[bit / BITS_PER_LONG];
	bool was = __atomic_fetch_or(word, mask, __ATOMIC_SEQ_CST) & mask;

	HOST_FULL_BARRIER();
	return was;
}

static inline bool test_and_clear_bit(unsigned long bit, unsigned long *bits)
{
	const unsigned long mask = 1ul << bit % BITS_PER_LONG;
	unsigned long *word = &bits[bit / BITS_PER_LONG];
	bool was = __atomic_fetch_and(word, ~mask, __ATOMIC_SEQ_CST) & mask;

	HOST_FULL_BARRIER();
	return was;
}

/*
 * A store is written to by other processes too, and by programs in error: a number that is read
 * there may be any. Line 0 is nobody's, and never live.
 */
#define depot_line(depot, number) \
	((depot)->lines + (likely((number) <= (depot)->nr_lines) ? (number) : 0))
#define DEPOT_CANDIDATES_APART 0
#define depot_candidate_word(depot, word) (&(depot)->candidates[0][word])
#define depot_populate(depot, number, flags) ((void)(depot), (void)(number), (void)(flags), true)
#define depot_head(depot, bucket) (&(depot)->heads[bucket])
#define depot_heads_bytes(geometry) (8ull * (geometry)->buckets)
/* Pages of the index that nobody touches take no memory, so it need not grow; tests let it. */
#ifndef DEPOT_INDEX_GROWS
#define DEPOT_INDEX_GROWS 0
#endif
#define depot_populate_heads(depot, buckets) ((void)(depot), (void)(buckets), true)
#define depot_footprint(geometry) ((geometry)->total_bytes + DEPOT_PRIVATE_BYTES)

void *depot_scratch_get(size_t bytes);
void depot_scratch_put(void *memory, size_t bytes);

/* Vectors read a line without naming each access atomic; generations catch what they tear. */
#if !defined(__SANITIZE_THREAD__) && BITS_PER_LONG == 64 && \
	(defined(__SSE2__) || defined(__ARM_NEON))
#define DEPOT_VECTOR_LINES 1
#endif
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef DEPOT_VECTOR_LINES
#endif
#endif

#endif
