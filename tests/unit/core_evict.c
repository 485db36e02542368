// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A full depot goes on saving, and what it forgot it says it forgot. */
#include "core_test.h"

static void a_full_depot_goes_on_saving(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 7, 2, 0);
	uintptr_t frames[24];
	unsigned int i;

	for (i = 0; i < 20000; i++) {
		unsigned int nr = trace_make(i, 24, frames);
		u32 handle = depot_save(depot, frames, nr, 0);

		core_expect(test, depot, handle, frames, nr);
	}
	CORE_EQ(core_stats(depot).saved, 20000);
	CORE_TRUE(core_stats(depot).evictions > 10000);
	CORE_EQ(core_stats(depot).leases_broken, 0);
	CORE_EQ(core_stats(depot).lines_used, 7);
	CORE_EQ(core_stats(depot).drops_pinned, 0);
	core_finish(test, depot);
}

static void one_line_is_enough(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 1, 1, 0);
	uintptr_t frames[TRACE_LINE + 1];
	unsigned int i;

	for (i = 0; i <= TRACE_LINE; i++)
		frames[i] = TRACE_NEAR(0);
	for (i = 0; i < 1000; i++) {
		frames[i % TRACE_LINE] = TRACE_NEAR(i);
		core_expect(test, depot, depot_save(depot, frames, TRACE_LINE, 0), frames,
			    TRACE_LINE);
		CORE_EQ(depot_save(depot, frames, TRACE_LINE + 1, 0), 0);
	}
	CORE_EQ(core_stats(depot).drops_pinned, 1000);
	core_finish(test, depot);
}

/* Lines are used over and over; no ref of a former life ever yields what lives there now. */
static void refs_of_former_lives_are_stale(core_test *test)
{
	enum { NR = 3000 };
	static u64 refs[NR];
	struct stackdepot *depot = core_depot(test, 4, 2, 0);
	unsigned int i, j, alive;

	for (i = 0; i < NR; i++) {
		uintptr_t frame;

		refs[i] = depot_trace_ref(depot, core_save1(depot, i, 0));
		CORE_NE(refs[i], 0);
		for (j = 0, alive = 0; j <= i; j++) {
			int nr = depot_fetch_ref(depot, refs[j], &frame, 1);

			if (nr == -ESTALE)
				continue;
			CORE_EQ(nr, 1);
			CORE_EQ(frame, j);
			alive++;
		}
		CORE_EQ(alive, i < 4 ? i + 1 : 4);
	}
	core_finish(test, depot);
}

/* 32-bit handles carry generation bits too: 24 of them in a depot of 4 lines. */
static void handles_of_former_lives_are_stale(core_test *test)
{
	enum { NR = 1000 };
	static u32 handles[NR];
	struct stackdepot *depot = core_depot(test, 4, 2, 0);
	unsigned int i;

	for (i = 0; i < NR; i++)
		handles[i] = core_save1(depot, i, 0);
	for (i = 0; i < NR - 4; i++) {
		CORE_EQ(depot_fetch(depot, handles[i], NULL, 0), -ESTALE);
		CORE_EQ(depot_get(depot, handles[i]), -ESTALE);
		CORE_EQ(depot_put(depot, handles[i]), -ESTALE);
		CORE_EQ(depot_trace_ref(depot, handles[i]), 0);
	}
	core_finish(test, depot);
}

/* A trace that is got and put all the time is not the first to go when its count touches 0. */
static void a_trace_that_is_got_and_put_gets_a_second_chance(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 8, 4, 0);
	u32 hot = core_save1(depot, 1, STACKDEPOT_GET);
	unsigned int i;

	CORE_EQ(depot_put(depot, hot), 0);
	for (i = 0; i < 1000; i++) {
		u32 cold;

		CORE_EQ(core_save1(depot, 1, STACKDEPOT_GET), hot);
		CORE_EQ(depot_put(depot, hot), 0);
		cold = core_save1(depot, 1000 + i, STACKDEPOT_GET);
		CORE_EQ(depot_put(depot, cold), 0);
	}
	CORE_EQ(core_stats(depot).saved, 1001);
	core_finish(test, depot);
}

static void no_evict_evicts_nothing(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 5, 0, 0);
	unsigned int i;

	for (i = 0; i < 5; i++)
		CORE_NE(core_save1(depot, i, STACKDEPOT_NO_EVICT), 0);
	CORE_EQ(core_save1(depot, 5, STACKDEPOT_NO_EVICT), 0);
	CORE_EQ(core_stats(depot).drops_no_evict, 1);
	CORE_EQ(core_stats(depot).drops_pinned, 0);
	for (i = 0; i < 5; i++)
		CORE_NE(core_save1(depot, i, STACKDEPOT_NO_EVICT), 0);
	CORE_EQ(core_stats(depot).evictions, 0);
	CORE_NE(core_save1(depot, 5, 0), 0);
	CORE_EQ(core_stats(depot).evictions, 1);
	core_finish(test, depot);
}

static void pinned_full_refuses_and_recovers(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 70, 3, 0);
	u32 handles[70];
	unsigned int i, round;

	for (i = 0; i < 70; i++)
		handles[i] = core_save1(depot, i, STACKDEPOT_GET);
	for (i = 0; i < 10; i++) {
		CORE_EQ(core_save1(depot, 1000 + i, 0), 0);
		CORE_EQ(core_stats(depot).drops_pinned, i + 1);
		CORE_EQ(core_save1(depot, i, 0), handles[i]);
	}
	for (round = 0; round < 100; round++) {
		unsigned int k = round * 31 % 70;

		CORE_EQ(depot_put(depot, handles[k]), 0);
		handles[k] = core_save1(depot, 2000 + round, STACKDEPOT_GET);
		CORE_NE(handles[k], 0);
		CORE_EQ(core_save1(depot, 3000 + round, 0), 0);
	}
	CORE_EQ(core_stats(depot).drops_pinned, 110);
	core_finish(test, depot);
}

/* A save that fails half way gives back what it took, and harms nothing that is held. */
static void a_failed_save_leaves_nothing_behind(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 2, 0);
	const unsigned int held_nr = 4 * TRACE_LINE, shared = 2 * TRACE_LINE;
	const unsigned int nr = 7 * TRACE_LINE + 1;
	u32 held = core_save_own(depot, 1, held_nr, STACKDEPOT_GET);
	u64 ref = depot_trace_ref(depot, held);
	uintptr_t frames[7 * TRACE_LINE + 1];
	unsigned int i, round;

	/* Shares its two outermost lines with what is held, and needs 6 lines more. */
	for (i = 0; i < nr; i++)
		frames[i] = TRACE_NEAR(0x9000 + i);
	for (i = 0; i < shared; i++)
		frames[nr - 1 - i] = TRACE_NEAR(1 << 8 | (held_nr - 1 - i));
	for (round = 0; round < 50; round++) {
		CORE_NE(depot_save(depot, frames, nr, 0), 0);
		CORE_EQ(core_save_own(depot, 100 + round, 6 * TRACE_LINE + 2, STACKDEPOT_GET), 0);
		CORE_EQ(core_stats(depot).drops_pinned, round + 1);
		CORE_EQ(depot_check(depot), 0);
	}
	CORE_TRUE(core_has_own(depot, ref, 1, held_nr));
	CORE_EQ(core_count_free(depot, 5), 6);
	CORE_EQ(depot_put(depot, held), 0);
	CORE_EQ(core_count_free(depot, 6), 10);
	core_finish(test, depot);
}

static void evicting_a_trace_frees_all_its_lines(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 8, 0, 0);
	unsigned int i;

	for (i = 0; i < 300; i++) {
		const unsigned int nr = 8 * TRACE_LINE - i % TRACE_LINE;
		u32 handle = core_save_own(depot, i, nr, STACKDEPOT_GET);

		CORE_NE(handle, 0);
		CORE_TRUE(core_has_own(depot, depot_trace_ref(depot, handle), i, nr));
		CORE_EQ(core_save1(depot, ~0ul, 0), 0);
		CORE_EQ(depot_put(depot, handle), 0);
	}
	CORE_EQ(core_stats(depot).lines_added, 8 * 300);
	CORE_EQ(core_stats(depot).evictions, 8 * 299);
	core_finish(test, depot);
}

/* What is saved again and again survives a stream of traces that are seen once. */
static void hot_traces_survive(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 100, 0, 0);
	u64 hot[20];
	unsigned int i, round;

	for (i = 0; i < 20; i++)
		hot[i] = depot_trace_ref(depot, core_save1(depot, i, 0));
	for (round = 0; round < 2000; round++) {
		CORE_NE(core_save1(depot, 1000 + round, 0), 0);
		CORE_EQ(depot_trace_ref(depot, core_save1(depot, round % 20, 0)), hot[round % 20]);
	}
	CORE_EQ(core_stats(depot).saved, 20 + 2000);
	core_finish(test, depot);
}

/* All are leased and the clock stands still: what was saved last goes last all the same. */
static void a_burst_forgets_what_is_oldest(core_test *test)
{
	enum { LINES = 1024, SAVES = 8000, AGO = LINES / 2 };
	static u64 refs[SAVES];
	struct stackdepot *depot = core_depot(test, LINES, 0, 4);
	uintptr_t frame;
	unsigned int i;

	for (i = 0; i < SAVES; i++) {
		refs[i] = depot_trace_ref(depot, core_save1(depot, i, 0));
		CORE_NE(refs[i], 0);
		if (i < AGO)
			continue;
		CORE_EQ(depot_fetch_ref(depot, refs[i - AGO], &frame, 1), 1);
		CORE_EQ(frame, i - AGO);
	}
	CORE_EQ(core_stats(depot).leases_broken, SAVES - LINES);
	core_finish(test, depot);
}

CORE_SUITE(evict, CORE_CASE(a_burst_forgets_what_is_oldest), CORE_CASE(a_full_depot_goes_on_saving),
	   CORE_CASE(one_line_is_enough), CORE_CASE(refs_of_former_lives_are_stale),
	   CORE_CASE(handles_of_former_lives_are_stale),
	   CORE_CASE(a_trace_that_is_got_and_put_gets_a_second_chance),
	   CORE_CASE(no_evict_evicts_nothing), CORE_CASE(pinned_full_refuses_and_recovers),
	   CORE_CASE(a_failed_save_leaves_nothing_behind),
	   CORE_CASE(evicting_a_trace_frees_all_its_lines), CORE_CASE(hot_traces_survive));
