/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * words.h - the kernel's words for types and the compiler, in user space.
 */
#ifndef PORT_WORDS_H
#define PORT_WORDS_H

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
#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 u128;
#endif

typedef struct {
	s64 counter __attribute__((aligned(8)));
} atomic64_t;

#define BIT(n) (1ul << (n))
#define BIT_ULL(n) (1ull << (n))
#define BITS_PER_LONG (8 * __SIZEOF_LONG__)
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define noinline __attribute__((noinline))
/* Against what a kernel may be built with: variables that are cleared before they are written. */
#define __uninitialized
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define __aligned(bytes) __attribute__((aligned(bytes)))
#define static_assert _Static_assert
#define __ffs(word) ((unsigned long)__builtin_ctzl(word))
#define fls(n) (32 - (u32)__builtin_clz(n))
#define ilog2(n) (31 - __builtin_clz(n))

#endif
