/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * hash.h - hashing frames so that longer traces continue shorter ones.
 *
 * The hash of the outermost m frames, m = 8 g + r with r from 1 to 8, is made of the state after g
 * whole groups and of a *window* over the innermost 8 of the m frames. While r < 8 the window
 * overlaps the last whole group: hashing a frame twice costs less than a loop of unpredictable
 * length. A trace of fewer than 8 frames is padded with DEPOT_FRAME_BASE, which any line has room
 * for.
 *
 * A group is hashed as a sum of products of its frames with keys from the depot's seed, pair by
 * pair (multilinear hashing: Carter, Wegman 1979; Lemire, Kaser, "Strongly universal string hashing
 * is fast", 2014), so only one multiplication a group is in sequence. Where words have 32 bits a
 * pair is the product of two sums (NH: Black, Halevi, Krawczyk, Krovetz, Rogaway, "UMAC: fast and
 * secure message authentication", 1999), as a product of 64 bits takes three there. Products mix
 * towards the high bits, and a last multiplication to 128 bits folds them; the bucket is taken from
 * the top, and from the lowest bits as the index grows (index.h). Nothing but speed depends on the
 * quality of the hash.
 */
#ifndef DEPOT_HASH_H
#define DEPOT_HASH_H

#include "depot.h"

#define HASH_MULTIPLIER 0x9e3779b97f4a7c15ull /* 2^64 / golden ratio, odd */

#if BITS_PER_LONG == 64
/* Two frames in one word: 32 bits apart, so that what differs between frames does not overlap. */
static __always_inline u64 hash_pair(const uintptr_t *f, u64 key)
{
	return (f[0] ^ (f[1] << 32 | f[1] >> 32)) * key;
}
#else
static __always_inline u64 hash_pair(const uintptr_t *f, u64 key)
{
	return (u64)(u32)(f[0] + (u32)key) * (u32)(f[1] + (u32)(key >> 32));
}
#endif

static __always_inline u64 hash_window(const u64 *keys, const uintptr_t *f)
{
	/* Written out: at -O2 compilers leave a loop of four a loop. */
	return hash_pair(f, keys[0]) + hash_pair(f + 2, keys[1]) + hash_pair(f + 4, keys[2]) +
	       hash_pair(f + 6, keys[3]);
}

/* The state after one more whole group; `mixed` is the one before it ^ the window over it. */
static __always_inline u64 hash_advance(u64 mixed)
{
	return mixed * HASH_MULTIPLIER;
}

/* The hash of all frames; `mixed` is the state in front of the window ^ the window. */
static __always_inline u64 hash_finish(const u64 *keys, u64 mixed, u32 nr)
{
	const u64 salted = mixed ^ keys[DEPOT_PAIRS], key = keys[DEPOT_PAIRS + 1] + nr;
#ifdef __SIZEOF_INT128__
	u128 product = (u128)salted * key;

	return (u64)product ^ (u64)(product >> 64);
#else
	u64 product = salted * key;

	/* Bits of the bucket are taken from the top, where the next product mixes to. */
	return (product ^ product >> 32) * HASH_MULTIPLIER;
#endif
}

/* Frames in whole groups in front of (outside of) the innermost group. */
static inline u32 hash_outer(u32 nr)
{
	return (nr - 1) / DEPOT_GROUP * DEPOT_GROUP;
}

/* The innermost 8 frames of a trace; a shorter one is copied to `pad` and padded. */
static __always_inline const uintptr_t *hash_pad(const uintptr_t *frames, u32 nr, uintptr_t *pad)
{
	u32 i;

	if (likely(nr >= DEPOT_GROUP))
		return frames;
	for (i = 0; i < DEPOT_GROUP; i++)
		pad[i] = i < nr ? frames[i] : DEPOT_FRAME_BASE;
	return pad;
}

/* depot_hash_trace() - the hash of a whole trace with the window over it; states are not kept. */
static __always_inline u64 depot_hash_trace(const struct stackdepot *depot, const uintptr_t *frames,
					    u32 nr, const uintptr_t *window)
{
	const uintptr_t *group = frames + nr;
	const uintptr_t *last = group - hash_outer(nr);
	u64 state = 0;

	while (group != last) {
		group -= DEPOT_GROUP;
		state = hash_advance(state ^ hash_window(depot->keys, group));
	}
	return hash_finish(depot->keys, state ^ hash_window(depot->keys, window), nr);
}

void depot_hash_seed(struct stackdepot *depot, u64 seed);

#endif
