/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * run.h - frames into lines, out of lines, and against lines.
 *
 * Lines may be recycled while they are read. Each word is therefore read as a relaxed atomic (or,
 * where the port allows, as part of a vector), and what was read counts only after the caller has
 * found the generation unchanged.
 */
#ifndef DEPOT_RUN_H
#define DEPOT_RUN_H

#include "depot.h"

static inline bool frame_is_narrow(uintptr_t frame)
{
	return (uintptr_t)((s64)(frame << 16) >> 16) == frame;
}

static inline bool run_is_narrow(const uintptr_t *frames, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (!frame_is_narrow(frames[i]))
			return false;
	return true;
}

/*
 * depot_run() - length of the run that comes next when a trace is put in.
 * @frames: innermost first.
 * @nr:     frames of the trace.
 * @done:   frames already in lines, counted from the root.
 *
 * A function of frames[0 .. nr - done) and its position alone: equal traces are cut alike.
 */
static inline u32 depot_run(const uintptr_t *frames, u32 nr, u32 done)
{
	u32 left = nr - done;
	u32 in_group = DEPOT_GROUP - done % DEPOT_GROUP;
	u32 run = left < in_group ? left : in_group;

	/* The inner half of a group that was split. */
	if (in_group < DEPOT_GROUP)
		return run;
	if (run > DEPOT_WIDE && !run_is_narrow(frames + left - run, run))
		return DEPOT_WIDE;
	return run;
}

/* Write a run into a line nobody else reads as live. Returns STATE_WIDE or 0. */
static inline u64 run_store(struct depot_line *line, const uintptr_t *frames, u32 nr)
{
	u32 i;

	if (!run_is_narrow(frames, nr)) {
		for (i = 0; i < DEPOT_WIDE; i++)
			port_store_relaxed(&line->wide[i], i < nr ? frames[i] : 0);
		return STATE_WIDE;
	}
	for (i = 0; i < DEPOT_GROUP; i++) {
		uintptr_t frame = i < nr ? frames[i] : 0;

		port_store_relaxed(&line->low[i], (u32)frame);
		port_store_relaxed(&line->high[i], (u16)(frame >> 32));
	}
	return 0;
}

static inline uintptr_t run_frame(struct depot_line *line, u64 state, u32 i)
{
	if (state & STATE_WIDE)
		return port_load_relaxed(&line->wide[i % DEPOT_WIDE]);
	return (uintptr_t)((s64)(s16)port_load_relaxed(&line->high[i]) * (1ll << 32)) |
	       port_load_relaxed(&line->low[i]);
}

/* Are the `nr` frames those of the line, whatever its kind? */
static inline bool run_equal_slow(struct depot_line *line, u64 state, const uintptr_t *frames)
{
	u32 i, nr = state_count(state);

	for (i = 0; i < nr; i++)
		if (run_frame(line, state, i) != frames[i])
			return false;
	return true;
}

#ifdef PORT_VECTOR_LINES
typedef u32 run_u32x4 __attribute__((vector_size(16)));
typedef u32 run_u32x4_unaligned __attribute__((vector_size(16), aligned(8), may_alias));
typedef s16 run_s16x4 __attribute__((vector_size(8), may_alias));
typedef s32 run_s32x4 __attribute__((vector_size(16)));
typedef u64 run_u64x2 __attribute__((vector_size(16)));

/* Which bits of 4 frames differ from 4 slots of a narrow line. */
port_inline run_u32x4 run_differ4(const struct depot_line *line, u32 slot, const uintptr_t *frames,
				  const uintptr_t *mask)
{
	run_u32x4 a = *(const run_u32x4_unaligned *)frames;
	run_u32x4 b = *(const run_u32x4_unaligned *)(frames + 2);
	run_u32x4 low, high;

	if (mask) {
		a &= *(const run_u32x4_unaligned *)mask;
		b &= *(const run_u32x4_unaligned *)(mask + 2);
	}
	low = __builtin_shufflevector(a, b, 0, 2, 4, 6);
	high = __builtin_shufflevector(a, b, 1, 3, 5, 7);
	low ^= *(const run_u32x4_unaligned *)(line->low + slot);
	high ^= (run_u32x4)__builtin_convertvector(*(const run_s16x4 *)(line->high + slot),
						   run_s32x4);
	return low | high;
}

/* Do 8 frames, under a mask (all ones if NULL), equal the 8 slots of a narrow line? */
port_inline bool run_equal(const struct depot_line *line, const uintptr_t *frames,
			   const uintptr_t *mask)
{
	run_u64x2 differ = (run_u64x2)(run_differ4(line, 0, frames, mask) |
				       run_differ4(line, 4, frames + 4, mask ? mask + 4 : NULL));

	return !(differ[0] | differ[1]);
}
#else
port_inline bool run_equal(struct depot_line *line, const uintptr_t *frames, const uintptr_t *mask)
{
	u32 i, differ = 0;

	for (i = 0; i < DEPOT_GROUP; i++) {
		uintptr_t frame = mask ? frames[i] & mask[i] : frames[i];

		differ |= port_load_relaxed(&line->low[i]) ^ (u32)frame;
		differ |= (u32)(s32)(s16)port_load_relaxed(&line->high[i]) ^ (u32)(frame >> 32);
	}
	return !differ;
}
#endif

#endif
