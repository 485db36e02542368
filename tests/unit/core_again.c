/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Traces that are held by reference, and references by the dozen. */
#include "core_test.h"

#define AGAIN_SATURATED ((1u << 20) - 1)

static struct stackdepot_trace_info again_info(core_test *test, struct stackdepot *depot,
					       stackdepot_ref_t ref)
{
	struct stackdepot_trace_info info;

	CORE_EQ(stackdepot_info(depot, ref, &info), 0);
	return info;
}

/* Save so many traces that nobody else saves. */
static void again_churn(core_test *test, struct stackdepot *depot, uintptr_t key, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		CORE_NE(core_save1(depot, key << 16 | i, 0), 0);
}

static void it_is_held_as_the_flags_say(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 3);
	stackdepot_handle_t handle = core_save_own(depot, 1, 20, 0);
	stackdepot_ref_t ref = stackdepot_ref(depot, handle);
	unsigned int i;

	for (i = 0; i < 4; i++)
		CORE_EQ(stackdepot_tick(depot), 0);
	CORE_TRUE(!again_info(test, depot, ref).leased);
	CORE_EQ(stackdepot_save_again(depot, ref, 0), handle);
	CORE_TRUE(again_info(test, depot, ref).leased);
	CORE_EQ(again_info(test, depot, ref).references, 0);
	CORE_EQ(stackdepot_save_again(depot, ref, STACKDEPOT_GET), handle);
	CORE_EQ(stackdepot_save_again(depot, ref, STACKDEPOT_GET), handle);
	CORE_EQ(again_info(test, depot, ref).references, 2);
	CORE_TRUE(!again_info(test, depot, ref).kept);
	CORE_EQ(stackdepot_save_again(depot, ref, STACKDEPOT_KEEP | STACKDEPOT_GET), handle);
	CORE_TRUE(again_info(test, depot, ref).kept);
	CORE_EQ(again_info(test, depot, ref).references, 3);
	CORE_EQ(stackdepot_save_again(depot, ref, STACKDEPOT_KEEP), handle);
	CORE_EQ(again_info(test, depot, ref).references, 3);
	/* Nothing was stored. */
	CORE_EQ(core_stats(depot).saved, 1);
	core_finish(test, depot);
}

/* The outer part of another trace becomes a trace of its own. */
static void an_outer_part_is_saved_too(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 3);
	uintptr_t frames[2 * TRACE_LINE];
	stackdepot_ref_t ref;
	unsigned int i;

	for (i = 0; i < 2 * TRACE_LINE; i++)
		frames[i] = TRACE_NEAR(0x1000 + i);
	CORE_NE(stackdepot_save(depot, frames, 2 * TRACE_LINE, 0), 0);
	ref = stackdepot_ref(
		depot, stackdepot_save(depot, frames + TRACE_LINE, TRACE_LINE, STACKDEPOT_FIND));
	CORE_NE(ref, 0);
	CORE_NE(stackdepot_save_again(depot, ref, STACKDEPOT_KEEP), 0);
	CORE_EQ(core_stats(depot).saved, 2);
	CORE_TRUE(again_info(test, depot, ref).kept);
	core_finish(test, depot);
}

static void what_is_not_there_is_not_saved(core_test *test)
{
	static const unsigned int flags[] = {0, STACKDEPOT_GET, STACKDEPOT_KEEP};
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	stackdepot_ref_t ref = stackdepot_ref(depot, core_save1(depot, 1, 0)), now;
	unsigned int i;

	again_churn(test, depot, 2, 100);
	CORE_EQ(stackdepot_fetch_ref(depot, ref, NULL, 0), -ESTALE);
	for (i = 0; i < CORE_COUNT(flags); i++) {
		CORE_EQ(stackdepot_save_again(depot, ref, flags[i]), 0);
		CORE_EQ(stackdepot_save_again(depot, 0, flags[i]), 0);
		CORE_EQ(stackdepot_save_again(depot, 11, flags[i]), 0);
		CORE_EQ(stackdepot_save_again(depot, ~0ull, flags[i]), 0);
	}
	/* Whoever lives there now was neither kept nor referenced. */
	for (i = 0; (now = stackdepot_next(depot, &i));) {
		CORE_EQ(again_info(test, depot, now).references, 0);
		CORE_TRUE(!again_info(test, depot, now).kept);
	}
	CORE_EQ(core_count_free(depot, 3), 10);
	core_finish(test, depot);
}

static void references_are_counted_in_bulk(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	stackdepot_ref_t ref = stackdepot_ref(depot, core_save_own(depot, 1, 20, STACKDEPOT_GET));

	stackdepot_get_bulk(depot, ref, 0);
	CORE_EQ(again_info(test, depot, ref).references, 1);
	stackdepot_get_bulk(depot, ref, 8);
	stackdepot_get_bulk(depot, ref, 1000);
	CORE_EQ(again_info(test, depot, ref).references, 1009);
	stackdepot_put_bulk(depot, ref, 0);
	CORE_EQ(again_info(test, depot, ref).references, 1009);
	stackdepot_put_bulk(depot, ref, 1);
	CORE_EQ(again_info(test, depot, ref).references, 1008);
	stackdepot_put_bulk(depot, ref, 1007);
	CORE_EQ(again_info(test, depot, ref).references, 1);
	again_churn(test, depot, 2, 100);
	CORE_TRUE(core_has_own(depot, ref, 1, 20));
	CORE_EQ(stackdepot_put(depot, stackdepot_handle(depot, ref)), 0);
	CORE_EQ(again_info(test, depot, ref).references, 0);
	CORE_EQ(core_stats(depot).saturated, 0);
	core_finish(test, depot);
}

static void no_line_is_touched_that_is_not_there(core_test *test)
{
	static const stackdepot_ref_t refs[] = {0, 1ull << 32, 11, 1ull << 32 | 11, ~0ull};
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	unsigned int i;

	for (i = 0; i < CORE_COUNT(refs); i++) {
		stackdepot_get_bulk(depot, refs[i], 3);
		stackdepot_put_bulk(depot, refs[i], 3);
		stackdepot_prefetch(depot, (stackdepot_handle_t)refs[i]);
	}
	CORE_EQ(core_count_free(depot, 3), 10);
	core_finish(test, depot);
}

/* The last reference makes it evictable, also if eviction has met it meanwhile. */
static void the_last_reference_lets_it_go(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	stackdepot_ref_t ref = stackdepot_ref(depot, core_save_own(depot, 1, 20, STACKDEPOT_GET));

	stackdepot_get_bulk(depot, ref, 9);
	again_churn(test, depot, 2, 100);
	stackdepot_put_bulk(depot, ref, 10);
	CORE_EQ(again_info(test, depot, ref).references, 0);
	again_churn(test, depot, 3, 100);
	CORE_EQ(stackdepot_fetch_ref(depot, ref, NULL, 0), -ESTALE);
	CORE_EQ(core_count_free(depot, 4), 10);
	core_finish(test, depot);
}

/* A lease begins when the references are given back. */
static void what_was_put_is_leased(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 30, 0, 3);
	stackdepot_ref_t ref = stackdepot_ref(depot, core_save_own(depot, 1, 20, STACKDEPOT_GET));
	unsigned int i;

	stackdepot_get_bulk(depot, ref, 9);
	for (i = 0; i < 40; i++) {
		CORE_EQ(stackdepot_tick(depot), 0);
		again_churn(test, depot, 2 + i, 5);
		if (i == 20)
			stackdepot_put_bulk(depot, ref, 10);
		if (i < 20 + 3)
			CORE_TRUE(core_has_own(depot, ref, 1, 20));
		if (i >= 20 && i < 20 + 3)
			CORE_TRUE(again_info(test, depot, ref).leased);
	}
	CORE_EQ(core_stats(depot).leases_broken, 0);
	CORE_EQ(stackdepot_fetch_ref(depot, ref, NULL, 0), -ESTALE);
	core_finish(test, depot);
}

/* More references than fit: the trace is kept from then on, and the depot says so, once. */
static void too_many_references_keep(core_test *test)
{
	static const unsigned int more[] = {1, 2, 1000, ~0u};
	unsigned int i;

	for (i = 0; i < CORE_COUNT(more); i++) {
		struct stackdepot *depot = core_depot(test, 10, 0, 0);
		stackdepot_ref_t ref = stackdepot_ref(depot, core_save1(depot, 1, STACKDEPOT_GET));

		stackdepot_get_bulk(depot, ref, AGAIN_SATURATED - 2);
		CORE_EQ(again_info(test, depot, ref).references, AGAIN_SATURATED - 1);
		CORE_EQ(core_stats(depot).saturated, 0);
		stackdepot_get_bulk(depot, ref, more[i]);
		stackdepot_get_bulk(depot, ref, more[i]);
		CORE_EQ(core_stats(depot).saturated, 1);
		stackdepot_put_bulk(depot, ref, AGAIN_SATURATED);
		stackdepot_put_bulk(depot, ref, ~0u);
		again_churn(test, depot, 2, 100);
		CORE_EQ(stackdepot_fetch_ref(depot, ref, NULL, 0), 1);
		core_finish(test, depot);
	}
}

CORE_SUITE(again, CORE_CASE(it_is_held_as_the_flags_say), CORE_CASE(an_outer_part_is_saved_too),
	   CORE_CASE(what_is_not_there_is_not_saved), CORE_CASE(references_are_counted_in_bulk),
	   CORE_CASE(no_line_is_touched_that_is_not_there),
	   CORE_CASE(the_last_reference_lets_it_go), CORE_CASE(what_was_put_is_leased),
	   CORE_CASE(too_many_references_keep));
