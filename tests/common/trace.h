/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * trace.h - traces that can be checked against their own content.
 *
 * A trace is a function of its number, and the innermost frame carries the number: whoever fetches
 * a trace can make it again and compare every frame. Traces share outer frames with relatives (the
 * first 8 from the root with a third of all others, the next 8 with a twelfth, the next ones with a
 * 48th), as far as each of them decides to, and now and then a frame needs all of its 64 bits.
 */
#ifndef TESTS_TRACE_H
#define TESTS_TRACE_H

#ifdef __KERNEL__
#include "host.h"
#include "types.h"
#if BITS_PER_LONG == 64
#define TRACE_BASE DEPOT_FRAME_BASE
#endif
#else
#include <stackdepot/stackdepot.h>

typedef uint64_t u64;
#endif

/*
 * Where the code of a kernel is, and 32 bits are enough for a frame: said by who compiles tests for
 * a depot of a kernel of 64 bits.
 */
#ifdef TRACE_BASE
#define TRACE_NEAR_BITS 32
#else
#define TRACE_BASE ((uintptr_t)0)
#define TRACE_NEAR_BITS (8 * (int)sizeof(uintptr_t))
#endif

/* The n-th of many frames that any line has room for. */
#define TRACE_NEAR(n) (TRACE_BASE + (uintptr_t)(n))

/* Frames that a line holds. */
#define TRACE_LINE 8u
#define TRACE_LINE_BYTES (TRACE_NEAR_BITS == 32 ? 48u : 64u)

/* A frame with these as its highest 16 bits: one of 64 bits makes its line wide. */
#define TRACE_HIGH(bits) ((uintptr_t)(bits) << (8 * sizeof(uintptr_t) - 16))

/* Bytes of a frame as text: "0x", digits, newline. */
#define TRACE_TEXT (2 + 2 * (int)sizeof(uintptr_t) + 1)

/* Of a number, in the innermost frame: it has fewer where frames have 32. */
#define TRACE_ID_BITS (TRACE_NEAR_BITS == 64 ? 40 : 21)
#define TRACE_IDS ((u64)1 << TRACE_ID_BITS)

/* The number of a trace from its innermost frame. */
static inline u64 trace_id(uintptr_t frame)
{
	/* What lies near is told from there on. */
	if (sizeof(uintptr_t) == 8 && !((u64)(frame - TRACE_BASE) >> 32))
		frame -= TRACE_BASE;
	return frame & (TRACE_IDS - 1);
}

/* The finaliser of splitmix64 behind one step of its counter. */
static inline u64 trace_mix(u64 z)
{
	z += 0x9e3779b97f4a7c15ull;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* A sequence of pseudo-random numbers: each call changes the state. */
static inline u64 trace_random(u64 *state)
{
	*state += 0x9e3779b97f4a7c15ull;
	return trace_mix(*state);
}

/*
 * The rest of a number, for divisors below 65536: a kernel for 32 bits has no division of 64 bits.
 */
static inline unsigned int trace_modulo(u64 number, unsigned int divisor)
{
	unsigned int rest = 0;
	int shift;

	for (shift = 48; shift >= 0; shift -= 16)
		rest = (rest << 16 | (unsigned int)(number >> shift & 0xffff)) % divisor;
	return rest;
}

/* The trace's own innermost frame: narrow, as in a kernel, or wide. */
static inline uintptr_t trace_leaf(u64 id, u64 hash)
{
	switch (hash >> 60 & 7) {
	case 0:
		return (uintptr_t)(0x1234ull << 48 | id);
	case 1:
	case 2:
		return TRACE_NEAR(TRACE_NEAR_BITS == 64 ? 0xffff8000ull << 32 | id : id);
	default:
		return TRACE_NEAR(0x55ull << TRACE_ID_BITS | id);
	}
}

/*
 * Of a number drawn at random so many bits as a frame of 32 bits has below a kernel's text: at the
 * entry of an interrupt, which is there, the kernel's depot cuts a trace.
 */
#define TRACE_BELOW_TEXT 0x7fffffffu

/* The frame at `depth` from the root of all traces with the same key. */
static inline uintptr_t trace_frame(u64 key, unsigned int depth)
{
	u64 hash = trace_mix(key ^ (u64)depth << 48);

	if (!trace_modulo(hash, 61))
		return (uintptr_t)(sizeof(uintptr_t) == 8 ? hash : hash & TRACE_BELOW_TEXT);
	hash = (0x7full << 40 | hash >> 24) & ~(hash & 1 ? 0 : 0xfull);
	return TRACE_NEAR(TRACE_NEAR_BITS == 64 ? hash : hash & TRACE_BELOW_TEXT);
}

/* How many relatives a frame at that depth is shared with, as a key. */
static inline u64 trace_family(u64 id, unsigned int depth)
{
	static const unsigned int families[] = {3, 12, 48};
	unsigned int level = depth / 8 < 2 ? depth / 8 : 2;

	return (u64)trace_modulo(id, families[level]) << 8 | (level + 1);
}

/* Make trace `id`, of 1 to `max` frames, innermost first. Returns its length. */
static inline unsigned int trace_make(u64 id, unsigned int max, uintptr_t *frames)
{
	u64 hash = trace_mix(id ^ 0x7472616365ull);
	unsigned int nr = 1 + trace_modulo(hash, max);
	unsigned int shared = trace_modulo(hash >> 32, nr);
	unsigned int depth;

	for (depth = 0; depth < nr - 1; depth++)
		frames[nr - 1 - depth] =
			trace_frame(depth < shared ? trace_family(id, depth) : id << 8, depth);
	frames[0] = trace_leaf(id, hash);
	return nr;
}

/* Are these frames a trace that trace_make() makes with the same `max`? */
static inline bool trace_is_true(const uintptr_t *frames, unsigned int nr, unsigned int max)
{
	uintptr_t made[STACKDEPOT_MAX_FRAMES];
	unsigned int i;

	if (!nr || nr > max)
		return false;
	if (trace_make(trace_id(frames[0]), max, made) != nr)
		return false;
	for (i = 0; i < nr; i++)
		if (made[i] != frames[i])
			return false;
	return true;
}

#endif
