/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What a depot tells about itself: iteration, info, text, statistics. */
#include "core_test.h"

static void iteration_sees_every_trace_once(core_test *test)
{
	static bool seen[200];
	static uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	struct stackdepot *depot = core_depot(test, 2000, 0, 0);
	uint32_t position = 0;
	unsigned int i, found = 0;
	stackdepot_ref_t ref;

	CORE_EQ(stackdepot_next(depot, &position), 0);
	for (i = 0; i < 200; i++)
		CORE_NE(stackdepot_save(depot, frames, trace_make(i, 60, frames), 0), 0);
	memset(seen, 0, sizeof(seen));
	position = 0;
	while ((ref = stackdepot_next(depot, &position))) {
		int nr = stackdepot_fetch_ref(depot, ref, frames, STACKDEPOT_MAX_FRAMES);
		uint64_t id = trace_id(frames[0]);

		CORE_TRUE(nr > 0 && trace_is_true(frames, (unsigned int)nr, 60));
		CORE_TRUE(id < 200 && !seen[id]);
		seen[id] = true;
		found++;
	}
	CORE_EQ(found, 200);
	CORE_EQ(stackdepot_next(depot, &position), 0);
	core_finish(test, depot);
}

/* Lines that are only a part of longer traces are nobody's trace, until somebody saves them. */
static void parts_are_no_traces(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 20, 0, 0);
	uintptr_t frames[3 * TRACE_LINE];
	uint32_t position = 0;
	unsigned int i;

	for (i = 0; i < CORE_COUNT(frames); i++)
		frames[i] = TRACE_NEAR(0x1000 + i);
	CORE_NE(stackdepot_save(depot, frames, CORE_COUNT(frames), 0), 0);
	CORE_NE(stackdepot_next(depot, &position), 0);
	CORE_EQ(stackdepot_next(depot, &position), 0);
	CORE_EQ(core_stats(depot).saved, 1);
	CORE_NE(stackdepot_save(depot, frames + TRACE_LINE, 2 * TRACE_LINE, 0), 0);
	CORE_EQ(core_stats(depot).saved, 2);
	position = 0;
	CORE_NE(stackdepot_next(depot, &position), 0);
	CORE_NE(stackdepot_next(depot, &position), 0);
	CORE_EQ(stackdepot_next(depot, &position), 0);
	core_finish(test, depot);
}

static void iteration_leaves_out_the_evicted(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 5, 0, 0);
	stackdepot_ref_t ref;
	uint32_t position = 0;
	unsigned int i, found = 0;

	for (i = 0; i < 100; i++)
		CORE_NE(core_save1(depot, i, 0), 0);
	while ((ref = stackdepot_next(depot, &position))) {
		CORE_EQ(stackdepot_fetch_ref(depot, ref, NULL, 0), 1);
		found++;
	}
	CORE_EQ(found, 5);
	core_finish(test, depot);
}

static void info_tells_the_length(core_test *test)
{
	static uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	struct stackdepot *depot = core_depot(test, 5000, 0, 0);
	struct stackdepot_trace_info info = {.references = 77};
	unsigned int i;

	CORE_EQ(stackdepot_info(depot, 1, &info), -ESTALE);
	CORE_EQ(info.references, 77);
	for (i = 0; i < 200; i++) {
		unsigned int nr = trace_make(i, STACKDEPOT_MAX_FRAMES, frames);
		stackdepot_ref_t ref = stackdepot_ref(depot, stackdepot_save(depot, frames, nr, 0));

		CORE_EQ(stackdepot_info(depot, ref, &info), 0);
		CORE_EQ(info.frames, nr);
		CORE_TRUE(!info.kept && !info.leased);
	}
	core_finish(test, depot);
}

static void text_has_a_frame_a_line(core_test *test)
{
	static const uintptr_t frames[] = {0x1234, ~0ul, 0x81000000};
#if __SIZEOF_POINTER__ == 8
	static const char expected[] = "  0x0000000000001234\n"
				       "  0xffffffffffffffff\n"
				       "  0x0000000081000000\n";
#else
	static const char expected[] = "  0x00001234\n"
				       "  0xffffffff\n"
				       "  0x81000000\n";
#endif
	struct stackdepot *depot = core_depot(test, 5, 0, 0);
	stackdepot_ref_t ref = stackdepot_ref(depot, stackdepot_save(depot, frames, 3, 0));
	const unsigned int length = sizeof(expected) - 1;
	char text[100];
	unsigned int size;

	for (size = 0; size < sizeof(text); size++) {
		unsigned int fits = size > length ? length : size ? size - 1 : 0;

		memset(text, 'x', sizeof(text));
		CORE_EQ(stackdepot_snprint(depot, ref, text, size, 2), length);
		CORE_EQ(memcmp(text, expected, fits), 0);
		if (size)
			CORE_EQ(text[fits], 0);
		CORE_EQ(text[size], 'x');
	}
	CORE_EQ(stackdepot_snprint(depot, ref, NULL, 0, 0), length - 6);
	CORE_EQ(stackdepot_snprint(depot, ref + (1ull << 32), text, sizeof(text), 0), -ESTALE);
	core_finish(test, depot);
}

static void statistics_add_up(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 7, 0);
	struct stackdepot_stats stats = core_stats(depot);

	CORE_EQ(stats.lines, 10);
	CORE_EQ(stats.buckets, 7);
	CORE_EQ(stats.lines_used, 0);
	CORE_EQ(stats.saved, 0);
	CORE_TRUE(stats.used_bytes < stats.mapped_bytes);
	CORE_NE(core_save_own(depot, 1, TRACE_LINE + 1, 0), 0);
	CORE_NE(core_save_own(depot, 1, TRACE_LINE + 1, 0), 0);
	CORE_NE(core_save_own(depot, 2, TRACE_LINE, 0), 0);
	stats = core_stats(depot);
	CORE_EQ(stats.saved, 2);
	CORE_EQ(stats.lines_added, 3);
	CORE_EQ(stats.lines_used, 3);
	CORE_EQ(stats.mapped_bytes - stats.used_bytes, 7 * TRACE_LINE_BYTES);
	CORE_NE(core_save_own(depot, 3, 8 * TRACE_LINE, 0), 0);
	stats = core_stats(depot);
	CORE_EQ(stats.saved, 3);
	CORE_EQ(stats.lines_added, 11);
	CORE_EQ(stats.lines_used, 10);
	CORE_EQ(stats.evictions, 1);
	CORE_EQ(stats.mapped_bytes, stats.used_bytes);
	CORE_EQ(stats.duplicates, 0);
	core_finish(test, depot);
}

static void ranges_cut_behind_the_first_inside(core_test *test)
{
	static const uintptr_t frames[] = {10, 20, 30, 20, 40};

	CORE_EQ(stackdepot_cut(frames, 5, 20, 21), 2);
	CORE_EQ(stackdepot_cut(frames, 5, 15, 20), 5);
	CORE_EQ(stackdepot_cut(frames, 5, 10, 11), 1);
	CORE_EQ(stackdepot_cut(frames, 5, 40, 41), 5);
	CORE_EQ(stackdepot_cut(frames, 5, 25, 45), 3);
	CORE_EQ(stackdepot_cut(frames, 5, 50, 60), 5);
	CORE_EQ(stackdepot_cut(frames, 5, 30, 30), 5);
	CORE_EQ(stackdepot_cut(frames, 0, 0, 100), 0);
}

static void no_reference_has_a_text(core_test *test)
{
	static const stackdepot_ref_t none[] = {0, 1ull << 32, 101, 0xffffffff, ~0ull};
	struct stackdepot *depot = core_depot(test, 100, 0, 0);
	unsigned int i;

	for (i = 0; i < CORE_COUNT(none); i++)
		CORE_EQ(stackdepot_snprint(depot, none[i], NULL, 0, 0), -EINVAL);
	core_finish(test, depot);
}

CORE_SUITE(report, CORE_CASE(iteration_sees_every_trace_once), CORE_CASE(parts_are_no_traces),
	   CORE_CASE(iteration_leaves_out_the_evicted), CORE_CASE(info_tells_the_length),
	   CORE_CASE(text_has_a_frame_a_line), CORE_CASE(statistics_add_up),
	   CORE_CASE(ranges_cut_behind_the_first_inside), CORE_CASE(no_reference_has_a_text));
