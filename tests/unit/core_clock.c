// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The clock and the leases that run on it. */
#include "core_test.h"

static void clock_tick(core_test *test, struct stackdepot *depot, unsigned int ticks)
{
	while (ticks--)
		CORE_EQ(depot_tick(depot), 0);
}

static bool clock_leased(core_test *test, struct stackdepot *depot, u64 ref)
{
	struct stackdepot_trace_info info;

	CORE_EQ(depot_info(depot, ref, &info), 0);
	return info.leased;
}

static void the_clock_counts(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 3);
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		CORE_EQ(depot_now(depot), i);
		CORE_EQ(depot_tick(depot), 0);
	}
	core_finish(test, depot);
}

static void a_lease_lasts_its_ticks(core_test *test)
{
	static const unsigned int lengths[] = {1, 2, 8, STACKDEPOT_MAX_LEASE_TICKS};
	unsigned int i, tick;

	for (i = 0; i < CORE_COUNT(lengths); i++) {
		struct stackdepot *depot = core_depot(test, 10, 0, lengths[i]);
		u64 ref = depot_trace_ref(depot, core_save1(depot, 1, 0));

		for (tick = 0; tick <= lengths[i]; tick++) {
			CORE_TRUE(clock_leased(test, depot, ref));
			clock_tick(test, depot, 1);
		}
		CORE_TRUE(!clock_leased(test, depot, ref));
		/* Readable, and leased anew if it is saved anew. */
		CORE_EQ(depot_fetch_ref(depot, ref, NULL, 0), 1);
		CORE_EQ(depot_trace_ref(depot, core_save1(depot, 1, 0)), ref);
		CORE_TRUE(clock_leased(test, depot, ref));
		core_finish(test, depot);
	}
}

static void without_leases_nothing_is_leased(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 3, 0, 0);
	u64 ref = depot_trace_ref(depot, core_save1(depot, 1, 0));
	unsigned int i;

	CORE_TRUE(!clock_leased(test, depot, ref));
	for (i = 2; i < 50; i++)
		CORE_NE(core_save1(depot, i, 0), 0);
	CORE_EQ(core_stats(depot).leases_broken, 0);
	core_finish(test, depot);
}

/* 9 of 10 lines hold traces that are saved anew each tick; the tenth takes all the others. */
static void what_is_leased_is_spared(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 2);
	u64 refs[9];
	unsigned int i, round;

	for (i = 0; i < 9; i++)
		refs[i] = depot_trace_ref(depot, core_save1(depot, i, 0));
	for (round = 0; round < 100; round++) {
		/* The stranger's lease has to run out before it can go. */
		CORE_NE(core_save1(depot, 100 + round, 0), 0);
		for (i = 0; i < 3; i++) {
			unsigned int k;

			clock_tick(test, depot, 1);
			for (k = 0; k < 9; k++)
				CORE_EQ(depot_trace_ref(depot, core_save1(depot, k, 0)), refs[k]);
		}
	}
	CORE_EQ(core_stats(depot).leases_broken, 0);
	CORE_EQ(core_stats(depot).evictions, 99);
	core_finish(test, depot);
}

static void the_oldest_lease_is_broken_first(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 8, 0, 20);
	u64 refs[30];
	unsigned int i;

	for (i = 0; i < 30; i++) {
		/* Not in the order of the lines: the even ones are renewed. */
		refs[i] = depot_trace_ref(depot, core_save1(depot, i, 0));
		clock_tick(test, depot, 1);
		if (i == 7) {
			CORE_EQ(depot_trace_ref(depot, core_save1(depot, 0, 0)), refs[0]);
			CORE_EQ(depot_trace_ref(depot, core_save1(depot, 3, 0)), refs[3]);
			clock_tick(test, depot, 1);
		}
		if (i == 8)
			CORE_EQ(depot_fetch_ref(depot, refs[1], NULL, 0), -ESTALE);
		if (i == 9)
			CORE_EQ(depot_fetch_ref(depot, refs[2], NULL, 0), -ESTALE);
		if (i == 10)
			CORE_EQ(depot_fetch_ref(depot, refs[4], NULL, 0), -ESTALE);
		if (i >= 8)
			CORE_EQ(core_stats(depot).leases_broken, i - 7);
	}
	/* Every line was leased: each was broken for the one after it, and the last 8 are there. */
	for (i = 22; i < 30; i++)
		CORE_EQ(depot_fetch_ref(depot, refs[i], NULL, 0), 1);
	core_finish(test, depot);
}

static void an_expired_lease_goes_before_a_running_one(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 20, 0, 4);
	u64 old[10], young[10];
	unsigned int i;

	for (i = 0; i < 10; i++)
		old[i] = depot_trace_ref(depot, core_save1(depot, i, 0));
	clock_tick(test, depot, 5);
	for (i = 0; i < 10; i++)
		young[i] = depot_trace_ref(depot, core_save1(depot, 100 + i, 0));
	for (i = 0; i < 10; i++)
		CORE_NE(core_save1(depot, 200 + i, 0), 0);
	for (i = 0; i < 10; i++) {
		CORE_EQ(depot_fetch_ref(depot, old[i], NULL, 0), -ESTALE);
		CORE_EQ(depot_fetch_ref(depot, young[i], NULL, 0), 1);
	}
	CORE_EQ(core_stats(depot).leases_broken, 0);
	CORE_NE(core_save1(depot, 300, 0), 0);
	CORE_EQ(core_stats(depot).leases_broken, 1);
	core_finish(test, depot);
}

/* On its last tick a lease holds against one that ran out; on the next it does not. */
static void the_last_tick_counts(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 2, 0, 3);
	u64 older, newer;

	older = depot_trace_ref(depot, core_save1(depot, 1, 0));
	clock_tick(test, depot, 1);
	newer = depot_trace_ref(depot, core_save1(depot, 2, 0));
	clock_tick(test, depot, 3);
	/* The hand stands before the older line; its visit does not make the newer one a victim. */
	CORE_NE(core_save1(depot, 3, 0), 0);
	CORE_EQ(depot_fetch_ref(depot, older, NULL, 0), -ESTALE);
	CORE_EQ(depot_fetch_ref(depot, newer, NULL, 0), 1);
	CORE_EQ(core_stats(depot).leases_broken, 0);
	/*
	 * Now the newer one is on its last tick and the third has its first: broken, and counted.
	 */
	CORE_NE(core_save1(depot, 4, 0), 0);
	CORE_EQ(depot_fetch_ref(depot, newer, NULL, 0), -ESTALE);
	CORE_EQ(core_stats(depot).leases_broken, 1);
	clock_tick(test, depot, 4);
	CORE_NE(core_save1(depot, 5, 0), 0);
	CORE_EQ(core_stats(depot).leases_broken, 1);
	core_finish(test, depot);
}

/* A lease is what a save takes; looking at a trace does not renew it. */
static void fetching_renews_nothing(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 1);
	u64 ref = depot_trace_ref(depot, core_save1(depot, 1, 0));

	clock_tick(test, depot, 2);
	CORE_EQ(depot_fetch_ref(depot, ref, NULL, 0), 1);
	CORE_TRUE(!clock_leased(test, depot, ref));
	core_finish(test, depot);
}

/* References and keeping are stronger than leases, and need none. */
static void held_traces_outlive_every_lease(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 4, 0, 2);
	u32 got = core_save1(depot, 1, STACKDEPOT_GET);
	u32 kept = core_save1(depot, 2, STACKDEPOT_KEEP);
	unsigned int i;

	for (i = 0; i < 300; i++) {
		CORE_NE(core_save1(depot, 10 + i, 0), 0);
		clock_tick(test, depot, 1);
	}
	CORE_EQ(depot_fetch(depot, got, NULL, 0), 1);
	CORE_EQ(depot_fetch(depot, kept, NULL, 0), 1);
	core_finish(test, depot);
}

/* Who has a reference is promised nothing from when he gives it back. */
static void a_reference_given_back_is_no_lease(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 3, 0, 8);
	u32 got = core_save1(depot, 1, STACKDEPOT_GET);
	u64 leased = depot_trace_ref(depot, core_save1(depot, 2, 0));
	u64 ref = depot_trace_ref(depot, got);

	CORE_NE(core_save1(depot, 3, STACKDEPOT_KEEP), 0);
	CORE_TRUE(!clock_leased(test, depot, ref));
	CORE_EQ(depot_put(depot, got), 0);
	CORE_TRUE(!clock_leased(test, depot, ref));
	CORE_NE(core_save1(depot, 4, 0), 0);
	CORE_EQ(depot_fetch_ref(depot, ref, NULL, 0), -ESTALE);
	CORE_EQ(depot_fetch_ref(depot, leased, NULL, 0), 1);
	CORE_EQ(core_stats(depot).leases_broken, 0);
	/* Now both are leased. */
	CORE_NE(core_save1(depot, 5, 0), 0);
	CORE_EQ(core_stats(depot).leases_broken, 1);
	core_finish(test, depot);
}

/* Of a lease that is broken one line is counted: the others hold what is outer to the trace. */
static void an_outer_part_is_not_leased(core_test *test)
{
	enum { NR = 3 * TRACE_LINE };
	struct stackdepot *depot = core_depot(test, 3, 0, 8);
	uintptr_t frames[NR];
	unsigned int i;
	u32 outer;

	for (i = 0; i < NR; i++)
		frames[i] = TRACE_NEAR(100 + i);
	CORE_NE(depot_save(depot, frames, NR, 0), 0);
	outer = depot_save(depot, frames + TRACE_LINE, NR - TRACE_LINE, STACKDEPOT_GET);
	CORE_TRUE(!clock_leased(test, depot, depot_trace_ref(depot, outer)));
	CORE_EQ(depot_put(depot, outer), 0);
	for (i = 0; i < NR; i++)
		frames[i] = TRACE_NEAR(200 + i);
	CORE_NE(depot_save(depot, frames, NR, 0), 0);
	CORE_EQ(core_stats(depot).evictions, 3);
	CORE_EQ(core_stats(depot).leases_broken, 1);
	core_finish(test, depot);
}

/* A save that is refused leaves outer parts, which are evicted: nobody was promised them. */
static void refused_saves_break_no_lease(core_test *test)
{
	enum { NR = 3 * TRACE_LINE };
	struct stackdepot *depot = core_depot(test, 10, 0, 8);
	uintptr_t frames[NR];
	unsigned int i, save;

	for (i = 0; i < 8; i++)
		CORE_NE(core_save1(depot, i, STACKDEPOT_KEEP), 0);
	for (save = 0; save < 20; save++) {
		for (i = 0; i < NR; i++)
			frames[i] = TRACE_NEAR(1000 * (save + 1) + i);
		CORE_EQ(depot_save(depot, frames, NR, STACKDEPOT_KEEP), 0);
		clock_tick(test, depot, 1);
	}
	CORE_EQ(core_stats(depot).drops_pinned, 20);
	CORE_EQ(core_stats(depot).evictions, 19 * 2);
	CORE_EQ(core_stats(depot).leases_broken, 0);
	core_finish(test, depot);
}

CORE_SUITE(clock, CORE_CASE(the_clock_counts), CORE_CASE(a_lease_lasts_its_ticks),
	   CORE_CASE(without_leases_nothing_is_leased), CORE_CASE(what_is_leased_is_spared),
	   CORE_CASE(the_oldest_lease_is_broken_first),
	   CORE_CASE(an_expired_lease_goes_before_a_running_one), CORE_CASE(the_last_tick_counts),
	   CORE_CASE(fetching_renews_nothing), CORE_CASE(held_traces_outlive_every_lease),
	   CORE_CASE(a_reference_given_back_is_no_lease), CORE_CASE(an_outer_part_is_not_leased),
	   CORE_CASE(refused_saves_break_no_lease));
