/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The user-space port: C11 atomics through the compiler's builtins, memory from mmap. */
#ifndef PORT_IMPL_H
#define PORT_IMPL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

/* Compiled twice for x86-64, see variant.c. */
#ifndef PORT_VARIANT
#define PORT_VARIANT(name) name
#endif

#define port_likely(x) __builtin_expect(!!(x), 1)
#define port_unlikely(x) __builtin_expect(!!(x), 0)
#define port_noinline __attribute__((noinline))
#define port_prefetch_write(p) __builtin_prefetch(p, 1)
#define port_inline static inline __attribute__((always_inline))

#define port_load_relaxed(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define port_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define port_load_seq_cst(p) __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define port_store_relaxed(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define port_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define port_cas(p, expected, desired)                                                             \
	__atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define port_fetch_add_relaxed(p, v) __atomic_fetch_add(p, v, __ATOMIC_RELAXED)
#define port_fetch_or(p, v) __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define port_fetch_and(p, v) __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define port_fence_acquire() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define port_fence_release() __atomic_thread_fence(__ATOMIC_RELEASE)

#define port_line(depot, number) ((depot)->lines + (number))
#define port_populate(depot, number, flags) ((void)(depot), (void)(number), (void)(flags), true)

void *port_scratch_get(size_t bytes);
void port_scratch_put(void *memory, size_t bytes);
#define port_scratch_get port_scratch_get
#define port_scratch_put port_scratch_put

/* Vectors read a line without naming each access atomic; generations catch what they tear. */
#if !defined(__SANITIZE_THREAD__) && (defined(__SSE2__) || defined(__ARM_NEON))
#define PORT_VECTOR_LINES 1
#endif
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef PORT_VECTOR_LINES
#endif
#endif

#endif
