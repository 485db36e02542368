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

#if BITS_PER_LONG == 64
/*
 * Where frame i of a narrow run lies: bits 1 and 2 of i changed round, which is the order in which
 * 32-byte vectors of frames fall apart into low and high halves.
 */
static inline u32 run_slot(u32 i)
{
	return (i & 1) | (i & 2) << 1 | (i & 4) >> 1;
}

/* Are all frames sign-extended 48-bit numbers? Then none exceeds 48 bits when half is added. */
static inline bool run_is_narrow(const uintptr_t *frames, u32 nr)
{
	const uintptr_t half = BIT_ULL(47);
	uintptr_t any = 0;

	/* Written out: at -O2 compilers leave a loop a loop. */
	for (; nr >= 4; nr -= 4, frames += 4)
		any |= (frames[0] + half) | (frames[1] + half) | (frames[2] + half) |
		       (frames[3] + half);
	while (nr--)
		any |= *frames++ + half;
	return !(any >> 48);
}

#else
static inline bool run_is_narrow(const uintptr_t *frames, u32 nr)
{
	return true;
}
#endif

/*
 * depot_run() - length of the run that comes next when a trace is put in.
 * @frames: innermost first.
 * @nr:     frames of the trace.
 * @done:   frames already in lines, counted from the root.
 *
 * A function of frames[0 .. nr - done) and its position alone: equal traces are cut alike. A run of
 * more than DEPOT_WIDE frames is narrow.
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

#if BITS_PER_LONG == 64
/* What two frames are in a word of low halves, and in the lower half of one of high parts. */
static inline u64 run_low(const uintptr_t *frames)
{
	return (u32)frames[0] | (u64)frames[1] << 32;
}

static inline u64 run_high(const uintptr_t *frames)
{
	return (u16)(frames[0] >> 32) | (u64)(u16)(frames[1] >> 32) << 16;
}

/*
 * Write a run of depot_run() into a line nobody else reads as live. Returns STATE_WIDE or 0.
 * @f:	8 frames from the run's first one outwards, zeros outside of the root. Slots that a narrow
 *	run leaves empty are filled with the frames outside of it, as then a run of any length is
 *	compared by 8 frames at once.
 * @nr: of these, the run's.
 */
static inline u64 run_store(struct depot_line *line, const uintptr_t *f, u32 nr)
{
	u32 i;

	if (nr <= DEPOT_WIDE && !run_is_narrow(f, nr)) {
		for (i = 0; i < DEPOT_WIDE; i++)
			WRITE_ONCE(line->low[i], i < nr ? f[i] : 0);
		return STATE_WIDE;
	}
	/* The order is that of run_slot(). */
	WRITE_ONCE(line->low[0], run_low(f));
	WRITE_ONCE(line->low[1], run_low(f + 4));
	WRITE_ONCE(line->low[2], run_low(f + 2));
	WRITE_ONCE(line->low[3], run_low(f + 6));
	WRITE_ONCE(line->high[0], run_high(f) | run_high(f + 4) << 32);
	WRITE_ONCE(line->high[1], run_high(f + 2) | run_high(f + 6) << 32);
	return 0;
}

/* A narrow frame from its low half and, in the lowest bits of `high`, bits 32 to 47. */
static inline uintptr_t run_narrow_frame(u64 low, u64 high)
{
	return (uintptr_t)((s64)(s16)high * (1ll << 32)) | (u32)low;
}

static inline uintptr_t run_frame(struct depot_line *line, u64 state, u32 i)
{
	if (state & STATE_WIDE)
		return READ_ONCE(line->low[i % DEPOT_WIDE]);
	i = run_slot(i);
	return run_narrow_frame(READ_ONCE(line->low[i / 2]) >> i % 2 * 32,
				READ_ONCE(line->high[i / 4]) >> i % 4 * 16);
}

static inline void run_load_two(u64 low, u64 high, uintptr_t *frames)
{
	frames[0] = run_narrow_frame(low, high);
	frames[1] = run_narrow_frame(low >> 32, high >> 16);
}

/* All 8 frames of a whole narrow line, each word read once. The order is that of run_slot(). */
static inline void run_load(struct depot_line *line, uintptr_t *frames)
{
	const u64 high_a = READ_ONCE(line->high[0]);
	const u64 high_b = READ_ONCE(line->high[1]);

	run_load_two(READ_ONCE(line->low[0]), high_a, frames);
	run_load_two(READ_ONCE(line->low[1]), high_a >> 32, frames + 4);
	run_load_two(READ_ONCE(line->low[2]), high_b, frames + 2);
	run_load_two(READ_ONCE(line->low[3]), high_b >> 32, frames + 6);
}

/* The lower half of the first frame of a line, wide or not. */
static inline u32 run_first(struct depot_line *line)
{
	return (u32)READ_ONCE(line->low[0]);
}
#else
/* As above: frames are words, and lie in their order. */
static inline u64 run_store(struct depot_line *line, const uintptr_t *f, u32 nr)
{
	u32 i;

	for (i = 0; i < DEPOT_GROUP; i++)
		WRITE_ONCE(line->frame[i], f[i]);
	return 0;
}

static inline uintptr_t run_frame(struct depot_line *line, u64 state, u32 i)
{
	return READ_ONCE(line->frame[i]);
}

static inline void run_load(struct depot_line *line, uintptr_t *frames)
{
	u32 i;

	for (i = 0; i < DEPOT_GROUP; i++)
		frames[i] = READ_ONCE(line->frame[i]);
}

static inline u32 run_first(struct depot_line *line)
{
	return READ_ONCE(line->frame[0]);
}
#endif

/* Are the `nr` frames those of the line, whatever its kind? */
static inline bool run_equal_slow(struct depot_line *line, u64 state, const uintptr_t *frames)
{
	u32 i, nr = state_count(state);

	for (i = 0; i < nr; i++)
		if (run_frame(line, state, i) != frames[i])
			return false;
	return true;
}

#ifdef DEPOT_VECTOR_LINES
/* Frames that are hashed and then compared, a group of them: vectors are loaded where they lie. */
static __always_inline const uintptr_t *run_window(const uintptr_t *frames, uintptr_t *copy)
{
	(void)copy;
	return frames;
}
#else
/* Frames that are hashed and then compared, DEPOT_GROUP of them: loaded once. */
static __always_inline const uintptr_t *run_window(const uintptr_t *frames, uintptr_t *copy)
{
	u32 i;

	copy[0] = frames[0];
	copy[1] = frames[1];
	copy[2] = frames[2];
	copy[3] = frames[3];
	copy[4] = frames[4];
	copy[5] = frames[5];
	copy[6] = frames[6];
	copy[7] = frames[7];
	for (i = 8; i < DEPOT_GROUP; i++)
		copy[i] = frames[i];
	return copy;
}
#endif

#ifdef DEPOT_VECTOR_LINES
/* run_equal() as below, by vectors. */
#include "run_vector.h"
#elif BITS_PER_LONG == 64
/* Bits in which two frames differ from two slots that share a word of low halves. */
static __always_inline u64 run_differ(const uintptr_t *frames, u64 low, u64 high)
{
	return (run_narrow_frame(low, high) ^ frames[0]) |
	       (run_narrow_frame(low >> 32, high >> 16) ^ frames[1]);
}

/* Do 8 frames equal the 8 slots of a narrow line? Slots are in the order of run_slot(). */
static __always_inline bool run_equal(struct depot_line *line, const uintptr_t *frames)
{
	const u64 high_a = READ_ONCE(line->high[0]);
	const u64 high_b = READ_ONCE(line->high[1]);

	/* The first frames decide nearly always when it is another trace. */
	if (run_differ(frames, READ_ONCE(line->low[0]), high_a))
		return false;
	return !(run_differ(frames + 4, READ_ONCE(line->low[1]), high_a >> 32) |
		 run_differ(frames + 2, READ_ONCE(line->low[2]), high_b) |
		 run_differ(frames + 6, READ_ONCE(line->low[3]), high_b >> 32));
}
#else
/* Do 12 frames equal the 12 slots of a line? */
static __always_inline bool run_equal(struct depot_line *line, const uintptr_t *frames)
{
	uintptr_t differ = 0;
	u32 i;

	for (i = 0; i < DEPOT_GROUP; i++)
		differ |= READ_ONCE(line->frame[i]) ^ frames[i];
	return !differ;
}
#endif

#endif
