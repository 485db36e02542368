// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Traces go in and come out, equal ones under one handle, different ones under different ones. */
#include "core_test.h"

static void equal_traces_share_a_handle(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 100, 0, 0);
	uintptr_t frames[30], copy[30];
	unsigned int nr;

	for (nr = 1; nr <= 30; nr++) {
		unsigned int i;
		u32 handle;

		for (i = 0; i < nr; i++)
			frames[i] = TRACE_NEAR(0x400000 + 16 * nr + i);
		memcpy(copy, frames, nr * sizeof(*frames));
		handle = depot_save(depot, frames, nr, 0);
		CORE_NE(handle, 0);
		CORE_EQ(depot_save(depot, copy, nr, 0), handle);
		CORE_EQ(depot_save(depot, copy, nr, STACKDEPOT_KEEP), handle);
		CORE_EQ(depot_save(depot, copy, nr, STACKDEPOT_NO_EVICT), handle);
	}
	CORE_EQ(core_stats(depot).saved, 30);
	core_finish(test, depot);
}

/* Every length that there is, all with the same outer frames, so each is a prefix of the next. */
static void prefixes_are_traces_of_their_own(core_test *test)
{
	static uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	static u32 handles[STACKDEPOT_MAX_FRAMES + 1];
	struct stackdepot *depot = core_depot(test, 1000, 0, 0);
	unsigned int i, nr;

	for (i = 0; i < STACKDEPOT_MAX_FRAMES; i++)
		frames[i] = TRACE_NEAR(0x7f000000 + 64 * i);
	for (nr = 1; nr <= STACKDEPOT_MAX_FRAMES; nr++) {
		handles[nr] = depot_save(depot, frames + STACKDEPOT_MAX_FRAMES - nr, nr, 0);
		CORE_NE(handles[nr], 0);
	}
	for (nr = 1; nr <= STACKDEPOT_MAX_FRAMES; nr++) {
		const uintptr_t *trace = frames + STACKDEPOT_MAX_FRAMES - nr;

		core_expect(test, depot, handles[nr], trace, nr);
		CORE_EQ(depot_save(depot, trace, nr, 0), handles[nr]);
	}
	/* A line for each length: the whole groups, and what begins each of them. */
	CORE_EQ(core_stats(depot).lines_used, STACKDEPOT_MAX_FRAMES);
	core_finish(test, depot);
}

/*
 * Change a bit of each frame in turn, and none at last: each result is another trace, though all
 * are on one chain.
 */
static void every_frame_counts(core_test *test)
{
	/* Where frames have 64 bits the last one makes the frame wide. */
#if __SIZEOF_POINTER__ == 8
	static const unsigned int bits[] = {0, 31, 32, 40, 46, 60};
#else
	static const unsigned int bits[] = {0, 7, 15, 16, 30, 31};
#endif
	enum { NR = 40, BITS = CORE_COUNT(bits) };
	static u32 handles[NR * BITS + 1];
	struct stackdepot *depot = core_depot(test, 2000, 1, 0);
	uintptr_t frames[NR + 1] = {0}; /* the trace, and what is behind it */
	unsigned int i, j;

	for (i = 0; i < NR; i++)
		frames[i] = TRACE_NEAR(0x55550000 + 8 * i);
	for (i = 0; i <= NR * BITS; i++) {
		frames[i / BITS] ^= 1ul << bits[i % BITS];
		handles[i] = depot_save(depot, frames, NR, 0);
		core_expect(test, depot, handles[i], frames, NR);
		for (j = 0; j < i; j++)
			CORE_NE(handles[i], handles[j]);
		frames[i / BITS] ^= 1ul << bits[i % BITS];
	}
	core_finish(test, depot);
}

static void outer_frames_are_stored_once(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 500, 0, 0);
	uintptr_t frames[5 * TRACE_LINE + 1];
	unsigned int i;

	for (i = 0; i < CORE_COUNT(frames); i++)
		frames[i] = TRACE_NEAR(0x1000 + i);
	for (i = 0; i < 100; i++) {
		frames[0] = TRACE_NEAR(0x9000 + i);
		CORE_NE(depot_save(depot, frames, CORE_COUNT(frames), 0), 0);
	}
	CORE_EQ(core_stats(depot).lines_used, 5 + 100);
	core_finish(test, depot);
}

static void fetch_is_cut_to_the_room_there_is(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 100, 0, 0);
	uintptr_t frames[20], fetched[21];
	unsigned int i, size;
	u32 handle;

	for (i = 0; i < 20; i++)
		frames[i] = TRACE_NEAR(0x1000 + i);
	handle = depot_save(depot, frames, 20, 0);
	for (size = 0; size <= 20; size++) {
		memset(fetched, 0x11, sizeof(fetched));
		CORE_EQ(depot_fetch(depot, handle, fetched, size), 20);
		CORE_EQ(memcmp(fetched, frames, size * sizeof(*frames)), 0);
		CORE_EQ(fetched[size], ~(uintptr_t)0 / 15);
	}
	CORE_EQ(depot_fetch(depot, handle, NULL, 0), 20);
	core_finish(test, depot);
}

static void extra_bits_are_the_users(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 100, 0, 0);
	uintptr_t frame = 0x1234;
	u32 handle = depot_save(depot, &frame, 1, 0);
	unsigned int bits;

	CORE_EQ(depot_get_extra_bits(handle), 0);
	for (bits = 0; bits < 1u << STACKDEPOT_EXTRA_BITS; bits++) {
		u32 marked = depot_set_extra_bits(handle, bits);

		CORE_EQ(depot_get_extra_bits(marked), bits);
		CORE_EQ(depot_set_extra_bits(marked, 0), handle);
		core_expect(test, depot, marked, &frame, 1);
		CORE_EQ(depot_trace_ref(depot, marked), depot_trace_ref(depot, handle));
		CORE_EQ(depot_get(depot, marked), 0);
		CORE_EQ(depot_put(depot, marked), 0);
	}
	CORE_EQ(depot_set_extra_bits(0, 7), 0);
	core_finish(test, depot);
}

static void refs_and_handles_name_the_same(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 300, 0, 0);
	unsigned int i;

	for (i = 0; i < 200; i++) {
		u32 handle = core_save1(depot, i, 0);
		u64 ref = depot_trace_ref(depot, handle);
		uintptr_t frame = ~0ul;

		CORE_NE(ref, 0);
		CORE_EQ(depot_trace_handle(depot, ref), handle);
		CORE_EQ(depot_fetch_ref(depot, ref, &frame, 1), 1);
		CORE_EQ(frame, i);
	}
	CORE_EQ(depot_trace_handle(depot, 0), 0);
	CORE_EQ(depot_trace_ref(depot, 0), 0);
	core_finish(test, depot);
}

static void what_is_no_handle_is_refused(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 100, 0, 0);
	static const u32 none[] = {0, 101, 127, 31u << 27, 31u << 27 | 120};
	static const u64 none_ref[] = {0, 1ull << 32, 101, 0xffffffff, ~0ull};
	struct stackdepot_trace_info info;
	uintptr_t frame;
	unsigned int i;

	CORE_NE(core_save1(depot, 1, STACKDEPOT_KEEP), 0);
	for (i = 0; i < CORE_COUNT(none); i++) {
		CORE_EQ(depot_fetch(depot, none[i], &frame, 1), -EINVAL);
		CORE_EQ(depot_get(depot, none[i]), -EINVAL);
		CORE_EQ(depot_put(depot, none[i]), -EINVAL);
		CORE_EQ(depot_trace_ref(depot, none[i]), 0);
	}
	for (i = 0; i < CORE_COUNT(none_ref); i++) {
		CORE_EQ(depot_fetch_ref(depot, none_ref[i], &frame, 1), -EINVAL);
		CORE_EQ(depot_get_ref(depot, none_ref[i]), -EINVAL);
		CORE_EQ(depot_info(depot, none_ref[i], &info), -EINVAL);
		CORE_EQ(depot_trace_handle(depot, none_ref[i]), 0);
	}
	/* Lines there are, but nothing was ever in them. */
	CORE_EQ(depot_fetch(depot, 50, &frame, 1), -ESTALE);
	CORE_EQ(depot_fetch_ref(depot, 2, &frame, 1), -ESTALE);
	/* The one trace there is, in a life to come. */
	CORE_EQ(depot_fetch_ref(depot, 1ull << 32 | 1, &frame, 1), -ESTALE);
	CORE_EQ(depot_save(depot, &frame, 0, 0), 0);
	core_finish(test, depot);
}

static void long_traces_are_cut_to_the_innermost(core_test *test)
{
	struct stackdepot_options options = {
		.max_bytes = 16 * CORE_PAGE, .max_frames = 21, .seed = 1};
	struct stackdepot *depot = NULL;
	uintptr_t frames[300];
	unsigned int i, nr;
	u32 handle;

	for (i = 0; i < 300; i++)
		frames[i] = TRACE_NEAR(0x1000 + i);
	CORE_EQ(depot_create(&options, &depot), 0);
	handle = depot_save(depot, frames, 21, 0);
	CORE_EQ(core_stats(depot).truncated, 0);
	/* Cut to what is stored it is that trace, so nothing is added. */
	for (nr = 22; nr <= 300; nr++)
		CORE_EQ(depot_save(depot, frames, nr, 0), handle);
	core_expect(test, depot, handle, frames, 21);
	CORE_EQ(core_stats(depot).saved, 1);
	CORE_EQ(core_stats(depot).truncated, 0);
	frames[20]++;
	handle = depot_save(depot, frames, 300, 0);
	CORE_EQ(depot_save(depot, frames, 299, 0), handle);
	CORE_EQ(depot_save(depot, frames, 21, 0), handle);
	core_expect(test, depot, handle, frames, 21);
	CORE_EQ(core_stats(depot).saved, 2);
	CORE_EQ(core_stats(depot).truncated, 1);
	core_finish(test, depot);
}

/* With one bucket the hash says nothing: all depends on comparing frames. */
static void a_useless_hash_confuses_nothing(core_test *test)
{
	enum { NR = 400 };
	static u32 handles[NR];
	static uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	struct stackdepot *depot = core_depot(test, 5000, 1, 0);
	unsigned int i;

	for (i = 0; i < NR; i++) {
		unsigned int nr = trace_make(i, 50, frames);

		handles[i] = depot_save(depot, frames, nr, 0);
		CORE_NE(handles[i], 0);
	}
	for (i = 0; i < NR; i++) {
		unsigned int nr = trace_make(i, 50, frames);

		core_expect(test, depot, handles[i], frames, nr);
		CORE_EQ(depot_save(depot, frames, nr, 0), handles[i]);
	}
	CORE_EQ(core_stats(depot).saved, NR);
	core_finish(test, depot);
}

/* Nothing is stored, nothing counted, and what is there is held as by any other save. */
static void finding_stores_nothing(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 100, 0, 0);
	struct stackdepot_stats before;
	uintptr_t frames[30];
	unsigned int nr;

	for (nr = 1; nr <= 30; nr++)
		frames[30 - nr] = TRACE_NEAR(0x400000 + 16 * nr);
	for (nr = 30; nr; nr -= 3) {
		const uintptr_t *trace = frames + 30 - nr;
		u32 handle;

		frames[30 - nr]++;
		before = core_stats(depot);
		CORE_EQ(depot_save(depot, trace, nr, STACKDEPOT_FIND), 0);
		CORE_EQ(core_stats(depot).lines_used, before.lines_used);
		CORE_EQ(core_stats(depot).saved, before.saved);
		CORE_EQ(core_stats(depot).drops_pinned, 0);
		handle = depot_save(depot, trace, nr, 0);
		CORE_EQ(depot_save(depot, trace, nr, STACKDEPOT_FIND | STACKDEPOT_GET), handle);
		CORE_EQ(depot_put(depot, handle), 0);
	}
	core_finish(test, depot);
}

/* Four times as many chains whenever there are twice as many lines; what is stored stays. */
static void an_index_grows_with_the_lines(core_test *test)
{
	enum { LINES = 1400, FIRST = 16, MOST = 1024 };
	static u32 handles[LINES];
	struct stackdepot *depot = core_depot(test, LINES, MOST, 0);
	unsigned int i, j, buckets = core_stats(depot).buckets;

	/* Or all of them at once, where memory is had by touching it. */
	CORE_TRUE(buckets == FIRST || buckets == MOST);
	for (i = 0; i < LINES; i++) {
		CORE_EQ(core_stats(depot).buckets, buckets);
		handles[i] = core_save1(depot, i, STACKDEPOT_GET);
		CORE_NE(handles[i], 0);
		if ((i + 1) / 2 < buckets || buckets == MOST)
			continue;
		buckets *= 4;
		for (j = 0; j <= i; j++)
			CORE_EQ(core_save1(depot, j, 0), handles[j]);
		CORE_EQ(depot_check(depot), 0);
	}
	CORE_EQ(buckets, MOST);
	for (i = 0; i < LINES; i++)
		CORE_EQ(depot_put(depot, core_save1(depot, i, 0)), 0);
	CORE_EQ(core_stats(depot).saved, LINES);
	/* Lines of all ages are taken from their chains. */
	for (i = 0; i < 3 * LINES; i++)
		CORE_NE(core_save1(depot, LINES + i, 0), 0);
	CORE_EQ(core_stats(depot).evictions, 3 * LINES);
	core_finish(test, depot);
}

CORE_SUITE(save, CORE_CASE(an_index_grows_with_the_lines), CORE_CASE(equal_traces_share_a_handle),
	   CORE_CASE(prefixes_are_traces_of_their_own), CORE_CASE(every_frame_counts),
	   CORE_CASE(outer_frames_are_stored_once), CORE_CASE(fetch_is_cut_to_the_room_there_is),
	   CORE_CASE(extra_bits_are_the_users), CORE_CASE(refs_and_handles_name_the_same),
	   CORE_CASE(what_is_no_handle_is_refused), CORE_CASE(long_traces_are_cut_to_the_innermost),
	   CORE_CASE(a_useless_hash_confuses_nothing), CORE_CASE(finding_stores_nothing));
