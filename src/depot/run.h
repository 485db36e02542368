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

/* Does the line have all bits of these frames? Then they lie within as many from the base on. */
static inline bool run_is_narrow(const uintptr_t *frames, u32 nr)
{
#if BITS_PER_LONG > DEPOT_FRAME_BITS
	const uintptr_t base = DEPOT_FRAME_BASE;
	uintptr_t any = 0;

	/* Written out: at -O2 compilers leave a loop a loop. */
	for (; nr >= 4; nr -= 4, frames += 4)
		any |= (frames[0] - base) | (frames[1] - base) | (frames[2] - base) |
		       (frames[3] - base);
	while (nr--)
		any |= *frames++ - base;
	return !(any >> DEPOT_FRAME_BITS);
#else
	return true;
#endif
}

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

/* The word that a whole frame of a wide line is, and the lower half of it, which all lines have. */
static inline uintptr_t run_word(uintptr_t frame)
{
	return frame - DEPOT_FRAME_BASE;
}

#if DEPOT_FRAME_BITS > 32
/*
 * Where frame i of a narrow run lies: bits 1 and 2 of i changed round, which is the order in which
 * 32-byte vectors of frames fall apart into low and high halves.
 */
static inline u32 run_slot(u32 i)
{
	return (i & 1) | (i & 2) << 1 | (i & 4) >> 1;
}

/* What two frames are in a word of low halves, and in the lower half of one of high parts. */
static inline u64 run_low(const uintptr_t *frames)
{
	return (u32)frames[0] | (u64)frames[1] << 32;
}

static inline u64 run_high(const uintptr_t *frames)
{
	return (u16)(frames[0] >> 32) | (u64)(u16)(frames[1] >> 32) << 16;
}

/* Write 8 narrow frames. The order is that of run_slot(). */
static inline void run_pack(struct depot_line *line, const uintptr_t *f)
{
	WRITE_ONCE(line->low[0], run_low(f));
	WRITE_ONCE(line->low[1], run_low(f + 4));
	WRITE_ONCE(line->low[2], run_low(f + 2));
	WRITE_ONCE(line->low[3], run_low(f + 6));
	WRITE_ONCE(line->high[0], run_high(f) | run_high(f + 4) << 32);
	WRITE_ONCE(line->high[1], run_high(f + 2) | run_high(f + 6) << 32);
}

/* A narrow frame from its low half and, in the lowest bits of `high`, bits 32 to 47. */
static inline uintptr_t run_unpack(u64 low, u64 high)
{
	return (uintptr_t)((s64)(s16)high * (1ll << 32)) | (u32)low;
}

static inline uintptr_t run_narrow_frame(struct depot_line *line, u32 i)
{
	i = run_slot(i);
	return run_unpack(READ_ONCE(line->low[i / 2]) >> i % 2 * 32,
			  READ_ONCE(line->high[i / 4]) >> i % 4 * 16);
}

static inline void run_load_two(u64 low, u64 high, uintptr_t *frames)
{
	frames[0] = run_unpack(low, high);
	frames[1] = run_unpack(low >> 32, high >> 16);
}

/* All 8 frames of a whole narrow line, each word read once. */
static inline void run_load(struct depot_line *line, uintptr_t *frames)
{
	const u64 high_a = READ_ONCE(line->high[0]);
	const u64 high_b = READ_ONCE(line->high[1]);

	run_load_two(READ_ONCE(line->low[0]), high_a, frames);
	run_load_two(READ_ONCE(line->low[1]), high_a >> 32, frames + 4);
	run_load_two(READ_ONCE(line->low[2]), high_b, frames + 2);
	run_load_two(READ_ONCE(line->low[3]), high_b >> 32, frames + 6);
}
#else
#define RUN_WORD_FRAMES ((u32)sizeof(uintptr_t) / 4) /* narrow ones in a word */

/* One narrow frame or two in a word, the first in the lower half: how far from the base it lies. */
static inline uintptr_t run_low(const uintptr_t *frames)
{
	uintptr_t word = (u32)run_word(frames[0]);

	if (RUN_WORD_FRAMES == 2)
		word |= (uintptr_t)((u64)run_word(frames[1]) << 32);
	return word;
}

/* Write 8 narrow frames. */
static inline void run_pack(struct depot_line *line, const uintptr_t *f)
{
	u32 i;

	for (i = 0; i < DEPOT_WIDE; i++)
		WRITE_ONCE(line->low[i], run_low(f + i * RUN_WORD_FRAMES));
}

static inline uintptr_t run_narrow_frame(struct depot_line *line, u32 i)
{
	return DEPOT_FRAME_BASE +
	       (u32)((u64)READ_ONCE(line->low[i / RUN_WORD_FRAMES]) >> i % RUN_WORD_FRAMES * 32);
}

static __always_inline void run_load_word(struct depot_line *line, u32 i, uintptr_t *frames)
{
	const uintptr_t word = READ_ONCE(line->low[i]);
	uintptr_t *to = frames + i * RUN_WORD_FRAMES;

	to[0] = DEPOT_FRAME_BASE + (u32)word;
	if (RUN_WORD_FRAMES == 2)
		to[1] = DEPOT_FRAME_BASE + (u32)((u64)word >> 32);
}

/* All 8 frames of a whole narrow line, each word read once. */
static inline void run_load(struct depot_line *line, uintptr_t *frames)
{
	u32 i;

	/* Written out: at -O2 compilers leave a loop a loop. */
	run_load_word(line, 0, frames);
	run_load_word(line, 1, frames);
	run_load_word(line, 2, frames);
	run_load_word(line, 3, frames);
	for (i = 4; i < DEPOT_WIDE; i++)
		run_load_word(line, i, frames);
}
#endif

/* Is it the first frame of a line, whatever its kind, by their lower halves? */
static inline bool run_begins(struct depot_line *line, uintptr_t frame)
{
	return (u32)READ_ONCE(line->low[0]) == (u32)run_word(frame);
}

/*
 * Write a run of depot_run() into a line nobody else reads as live. Returns STATE_WIDE or 0.
 * @f:	8 frames from the run's first one outwards, as hash_pad() has them. Slots that a narrow
 *	run leaves empty are filled with the frames outside of it, as then a run of any length is
 *	compared by 8 frames at once.
 * @nr: of these, the run's.
 */
static inline u64 run_store(struct depot_line *line, const uintptr_t *f, u32 nr)
{
	u32 i;

	if (nr <= DEPOT_WIDE && !run_is_narrow(f, nr)) {
		for (i = 0; i < DEPOT_WIDE; i++)
			WRITE_ONCE(line->low[i], i < nr ? run_word(f[i]) : 0);
		return STATE_WIDE;
	}
	run_pack(line, f);
	return 0;
}

static inline uintptr_t run_frame(struct depot_line *line, u64 state, u32 i)
{
	if (state & STATE_WIDE)
		return DEPOT_FRAME_BASE + READ_ONCE(line->low[i % DEPOT_WIDE]);
	return run_narrow_frame(line, i);
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

#if defined(DEPOT_VECTOR_LINES) || BITS_PER_LONG == 32
/* Frames that are hashed and then compared, a group of them: in vectors, or registers are few. */
static __always_inline const uintptr_t *run_window(const uintptr_t *frames, uintptr_t *copy)
{
	(void)copy;
	return frames;
}
#else
/* Frames that are hashed and then compared, DEPOT_GROUP of them: loaded once. */
static __always_inline const uintptr_t *run_window(const uintptr_t *frames, uintptr_t *copy)
{
	copy[0] = frames[0];
	copy[1] = frames[1];
	copy[2] = frames[2];
	copy[3] = frames[3];
	copy[4] = frames[4];
	copy[5] = frames[5];
	copy[6] = frames[6];
	copy[7] = frames[7];
	return copy;
}
#endif

#ifdef DEPOT_VECTOR_LINES
/* run_equal() as below, by vectors. */
#include "run_vector.h"
#elif DEPOT_FRAME_BITS > 32
/* Bits in which two frames differ from two slots that share a word of low halves. */
static __always_inline u64 run_differ(const uintptr_t *frames, u64 low, u64 high)
{
	return (run_unpack(low, high) ^ frames[0]) |
	       (run_unpack(low >> 32, high >> 16) ^ frames[1]);
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
/* Bits in which the frames of word i differ from it, or that a line has no room for. */
static __always_inline uintptr_t run_differ(struct depot_line *line, const uintptr_t *frames, u32 i)
{
	const uintptr_t word = READ_ONCE(line->low[i]);
	const uintptr_t *f = frames + i * RUN_WORD_FRAMES;
	uintptr_t differ = run_word(f[0]) ^ (u32)word;

	if (RUN_WORD_FRAMES == 2)
		differ |= run_word(f[1]) ^ (uintptr_t)((u64)word >> 32);
	return differ;
}

/* Do 8 frames equal the 8 slots of a narrow line? */
static __always_inline bool run_equal(struct depot_line *line, const uintptr_t *frames)
{
	uintptr_t differ;
	u32 i;

	/* The first frames decide nearly always when it is another trace. */
	if (run_differ(line, frames, 0))
		return false;
	differ = run_differ(line, frames, 1) | run_differ(line, frames, 2) |
		 run_differ(line, frames, 3);
	for (i = 4; i < DEPOT_WIDE; i++)
		differ |= run_differ(line, frames, i);
	return !differ;
}
#endif

#endif
