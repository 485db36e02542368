// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A frame may have any value: of 64 bits most fit 48, the others make wide lines of all shapes. */
#include "core_test.h"

static const uintptr_t special[] = {
	0,
	1,
	~0ul,
	~0ul - 1,
#if __SIZEOF_POINTER__ == 8
	0x7fffffffffff,	    /* the last of user space: 47 bits */
	0x800000000000,	    /* the first that needs 49 */
	0xffff7fffffffffff, /* the last below the kernel's half */
	0xffff800000000000, /* the kernel's first */
	0xffffffff81000000,
	0x00ff000000000000,
	0x8000000000000000,
	0x7fffffffffffffff,
	0xffffffff,
	0x100000000,
	0xffff000000000000,
#else
	0xffff,	    /* half a frame */
	0x10000,    /* and the first that is more */
	0x7fffffff, /* the last below the sign */
	0x80000000, /* and the first above */
	0xbfffffff, /* the last of user space, as a rule */
	0xc0000000, /* the kernel's first */
	0xffff0000, /* the upper half */
#endif
};

static void every_value_is_a_trace(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 100, 1, 0);
	u32 handles[CORE_COUNT(special)];
	unsigned int i, j;

	for (i = 0; i < CORE_COUNT(special); i++) {
		handles[i] = depot_save(depot, &special[i], 1, 0);
		CORE_NE(handles[i], 0);
		for (j = 0; j < i; j++)
			CORE_NE(handles[i], handles[j]);
	}
	for (i = 0; i < CORE_COUNT(special); i++) {
		core_expect(test, depot, handles[i], &special[i], 1);
		CORE_EQ(depot_save(depot, &special[i], 1, 0), handles[i]);
	}
	core_finish(test, depot);
}

static void every_value_in_every_place(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 4000, 0, 0);
	uintptr_t frames[18];
	unsigned int i, place, value;

	for (place = 0; place < 18; place++)
		for (value = 0; value < CORE_COUNT(special); value++) {
			u32 handle;

			for (i = 0; i < 18; i++)
				frames[i] = TRACE_NEAR(0x1000 + i);
			frames[place] = special[value];
			handle = depot_save(depot, frames, 18, 0);
			core_expect(test, depot, handle, frames, 18);
			CORE_EQ(depot_save(depot, frames, 18, 0), handle);
		}
	CORE_EQ(core_stats(depot).saved, 18 * CORE_COUNT(special));
	core_finish(test, depot);
}

/* Frames whose wide ones are the bits of `mask`, the narrow ones being the same in every trace. */
static void frames_by_mask(uintptr_t *frames, unsigned int nr, unsigned int mask)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		frames[i] = (mask >> i % 8 & 1 ? TRACE_HIGH(0x1234) : TRACE_BASE) + 0x5000 + i;
}

/* All 256 ways in which the frames of a group can be wide, at all lengths around a group's end. */
static void groups_of_every_shape(core_test *test)
{
	static u32 handles[256];
	uintptr_t frames[20];
	unsigned int nr, mask;

	for (nr = 1; nr <= 20; nr++) {
		struct stackdepot *depot = core_depot(test, 2000, 0, 0);
		unsigned int masks = nr < 8 ? 1u << nr : 256;

		for (mask = 0; mask < masks; mask++) {
			frames_by_mask(frames, nr, mask);
			handles[mask] = depot_save(depot, frames, nr, 0);
			CORE_NE(handles[mask], 0);
		}
		CORE_EQ(core_stats(depot).saved, masks);
		for (mask = 0; mask < masks; mask++) {
			frames_by_mask(frames, nr, mask);
			core_expect(test, depot, handles[mask], frames, nr);
			CORE_EQ(depot_save(depot, frames, nr, 0), handles[mask]);
		}
		core_finish(test, depot);
	}
}

/* Prefixes of a trace with wide frames: a half group is a trace too, if somebody saves it. */
static void prefixes_with_wide_frames(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 500, 0, 0);
	uintptr_t frames[40];
	unsigned int i, nr, down;

	for (i = 0; i < 40; i++)
		frames[i] = (i % 3 ? TRACE_BASE : TRACE_HIGH(0xabcd)) + 0x5000 + i;
	for (down = 0; down < 2; down++)
		for (i = 0; i < 40; i++) {
			u32 handle;

			nr = down ? 40 - i : 1 + i;
			handle = depot_save(depot, frames + 40 - nr, nr, 0);
			core_expect(test, depot, handle, frames + 40 - nr, nr);
			CORE_EQ(depot_save(depot, frames + 40 - nr, nr, 0), handle);
		}
	CORE_EQ(core_stats(depot).saved, 40);
	core_finish(test, depot);
}

/* Short traces are padded with zeros to be hashed: zeros that are frames are something else. */
static void zeros_are_not_padding(core_test *test)
{
	enum { NR = 24 };
	struct stackdepot *depot = core_depot(test, 500, 1, 0);
	u32 inner[NR + 1], outer[NR + 1];
	uintptr_t frames[NR] = {0};
	unsigned int nr;

	for (nr = 1; nr <= NR; nr++) {
		frames[0] = 0x77;
		inner[nr] = depot_save(depot, frames, nr, 0);
		frames[0] = 0;
		outer[nr] = depot_save(depot, frames, nr, 0);
	}
	CORE_EQ(core_stats(depot).saved, 2 * NR);
	for (nr = 1; nr <= NR; nr++) {
		core_expect(test, depot, outer[nr], frames, nr);
		CORE_EQ(depot_fetch(depot, inner[nr], NULL, 0), nr);
	}
	core_finish(test, depot);
}

static void random_mixtures(core_test *test)
{
	static uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	struct stackdepot *depot = core_depot(test, 20000, 0, 0);
	u64 random = 42;
	unsigned int i, round;

	for (round = 0; round < 1000; round++) {
		unsigned int nr = 1 + trace_modulo(trace_random(&random), 100);
		u64 wide = trace_random(&random) & trace_random(&random);
		u32 handle;

		for (i = 0; i < nr; i++) {
			u64 frame = trace_random(&random);

			if (wide >> i % 64 & 1)
				frames[i] = (uintptr_t)frame;
			else if (TRACE_NEAR_BITS == 32)
				frames[i] = TRACE_NEAR((unsigned int)frame);
			else
				frames[i] = (uintptr_t)((int64_t)frame >> 17);
		}
		handle = depot_save(depot, frames, nr, 0);
		core_expect(test, depot, handle, frames, nr);
		CORE_EQ(depot_save(depot, frames, nr, 0), handle);
	}
	core_finish(test, depot);
}

/* The first and the last frame that lie near, and their neighbours that do not. */
static void the_ends_of_what_is_near(core_test *test)
{
	const uintptr_t ends[] = {TRACE_NEAR(0), TRACE_NEAR(~0u), TRACE_NEAR(0) - 1,
				  TRACE_NEAR(~0u) + 1};
	struct stackdepot *depot = core_depot(test, 1000, 0, 0);
	uintptr_t frames[2 * TRACE_LINE];
	unsigned int i, end;

	for (i = 0; i < 2 * TRACE_LINE; i++)
		for (end = 0; end < CORE_COUNT(ends); end++) {
			unsigned int other;
			u32 handle;

			for (other = 0; other < 2 * TRACE_LINE; other++)
				frames[other] = TRACE_NEAR(0x5000 + other);
			frames[i] = ends[end];
			handle = depot_save(depot, frames, 2 * TRACE_LINE, 0);
			core_expect(test, depot, handle, frames, 2 * TRACE_LINE);
			CORE_EQ(depot_save(depot, frames, 2 * TRACE_LINE, 0), handle);
		}
	core_finish(test, depot);
}

/* Near frames share a line, eight of them, and others want two. */
static void near_frames_take_one_line(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 1000, 0, 0);
	uintptr_t frames[TRACE_LINE];
	unsigned int i;

	for (i = 0; i < TRACE_LINE; i++)
		frames[i] = TRACE_NEAR(i % 2 ? ~0u - i : i);
	core_expect(test, depot, depot_save(depot, frames, TRACE_LINE, 0), frames, TRACE_LINE);
	CORE_EQ(core_stats(depot).lines_used, 1);
	frames[3] = TRACE_HIGH(0x1234);
	core_expect(test, depot, depot_save(depot, frames, TRACE_LINE, 0), frames, TRACE_LINE);
	CORE_EQ(core_stats(depot).lines_used, sizeof(uintptr_t) == 8 ? 3 : 2);
	core_finish(test, depot);
}

/* Where a wide frame may be, a save that stores nothing finds the trace all the same. */
static void wide_frames_hide_nothing(core_test *test)
{
	enum { NR = 3 * TRACE_LINE + 2 };
	struct stackdepot *depot = core_depot(test, 1000, 0, 0);
	uintptr_t frames[NR];
	unsigned int i;

	for (i = 0; i < NR; i++)
		frames[i] = TRACE_NEAR(0x400000 + 16 * i);
	for (i = 0; i < NR; i++) {
		const uintptr_t narrow = frames[i];
		u32 handle;

		frames[i] = TRACE_HIGH(0xabcd) + i;
		CORE_EQ(depot_save(depot, frames, NR, STACKDEPOT_FIND), 0);
		handle = depot_save(depot, frames, NR, 0);
		CORE_NE(handle, 0);
		CORE_EQ(depot_save(depot, frames, NR, STACKDEPOT_FIND), handle);
		frames[i] = narrow;
	}
	core_finish(test, depot);
}

CORE_SUITE(frames, CORE_CASE(every_value_is_a_trace), CORE_CASE(every_value_in_every_place),
	   CORE_CASE(groups_of_every_shape), CORE_CASE(prefixes_with_wide_frames),
	   CORE_CASE(the_ends_of_what_is_near), CORE_CASE(near_frames_take_one_line),
	   CORE_CASE(wide_frames_hide_nothing), CORE_CASE(zeros_are_not_padding),
	   CORE_CASE(random_mixtures));
