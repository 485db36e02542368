/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * hash.h - hashing frames so that longer traces continue shorter ones.
 *
 * The hash of the outermost m frames, m = 8 g + r with r from 1 to 8, is made of the state after g
 * whole groups and of a *window* over the innermost 8 of the m frames. While r < 8 the window
 * overlaps the last whole group: hashing a frame twice costs less than a loop of unpredictable
 * length. A trace of fewer than 8 frames is padded with zeros.
 *
 * A group is hashed by four independent 64 x 64 -> 128 bit multiplications of keyed frames, as in
 * wyhash and NH (Black et al., "UMAC", 1999), so only one multiplication a group is in sequence.
 * The keys come from the depot's seed. Nothing but speed depends on the quality of the hash.
 */
#ifndef DEPOT_HASH_H
#define DEPOT_HASH_H

#include "depot.h"

#define HASH_MULTIPLIER 0x9e3779b97f4a7c15ull /* 2^64 / golden ratio, odd */

/* All ones for the innermost r frames of a window, at hash_masks + 8 - r. */
extern const uintptr_t depot_run_masks[2 * DEPOT_GROUP];

static inline const uintptr_t *run_mask(u32 r)
{
	return depot_run_masks + DEPOT_GROUP - r;
}

port_inline u64 hash_fold(u64 a, u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

port_inline u64 hash_window(const u64 *keys, const uintptr_t *f)
{
	return hash_fold(f[0] ^ keys[0], f[1] ^ keys[1]) ^ hash_fold(f[2] ^ keys[2], f[3] ^ keys[3]) ^
	       hash_fold(f[4] ^ keys[4], f[5] ^ keys[5]) ^ hash_fold(f[6] ^ keys[6], f[7] ^ keys[7]);
}

/* The state after one more whole group. */
port_inline u64 hash_advance(u64 state, u64 window)
{
	return (state ^ window) * HASH_MULTIPLIER;
}

/* The hash of all frames, `window` being over the innermost 8. */
port_inline u64 hash_finish(const u64 *keys, u64 state, u64 window, u32 nr)
{
	return hash_fold(state ^ window ^ keys[8], keys[9] + nr);
}

static inline u32 hash_bucket(const struct stackdepot *depot, u64 hash)
{
	return (u32)((hash >> 32) * depot->nr_buckets >> 32);
}

/* Frames in whole groups in front of (outside of) the innermost group. */
static inline u32 hash_outer(u32 nr)
{
	return (nr - 1) & ~(DEPOT_GROUP - 1);
}

/* The window of a trace too short for one: copied and padded. */
static inline const uintptr_t *hash_pad(const uintptr_t *frames, u32 nr, uintptr_t *buffer)
{
	u32 i;

	for (i = 0; i < DEPOT_GROUP; i++)
		buffer[i] = i < nr ? frames[i] : 0;
	return buffer;
}

/* depot_hash_trace() - the hash of a whole trace, its states kept nowhere. */
port_inline u64 depot_hash_trace(const struct stackdepot *depot, const uintptr_t *frames, u32 nr,
				 const uintptr_t *window)
{
	const uintptr_t *group = frames + nr;
	const uintptr_t *last = group - hash_outer(nr);
	u64 state = 0;

	while (group != last) {
		group -= DEPOT_GROUP;
		state = hash_advance(state, hash_window(depot->keys, group));
	}
	return hash_finish(depot->keys, state, hash_window(depot->keys, window), nr);
}

void depot_hash_seed(struct stackdepot *depot, u64 seed);

#endif
