// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Who holds a trace has it; who let go has it until its memory is needed. */
#include "core_test.h"

static struct stackdepot_trace_info hold_info(core_test *test, struct stackdepot *depot, u64 ref)
{
	struct stackdepot_trace_info info;

	CORE_EQ(depot_info(depot, ref, &info), 0);
	return info;
}

static void hold_churn(core_test *test, struct stackdepot *depot, uintptr_t key)
{
	unsigned int i;

	for (i = 0; i < 1000; i++)
		CORE_NE(core_save1(depot, key << 16 | i, 0), 0);
}

static void references_are_counted(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	u32 handle = core_save1(depot, 1, STACKDEPOT_GET);
	u64 ref = depot_trace_ref(depot, handle);

	CORE_EQ(hold_info(test, depot, ref).references, 1);
	CORE_EQ(core_save1(depot, 1, STACKDEPOT_GET), handle);
	CORE_EQ(depot_get(depot, handle), 0);
	CORE_EQ(depot_get_ref(depot, ref), 0);
	CORE_EQ(hold_info(test, depot, ref).references, 4);
	CORE_EQ(core_save1(depot, 1, 0), handle);
	CORE_EQ(hold_info(test, depot, ref).references, 4);
	CORE_EQ(depot_put(depot, handle), 0);
	CORE_EQ(depot_put(depot, handle), 0);
	CORE_EQ(depot_put(depot, handle), 0);
	CORE_EQ(hold_info(test, depot, ref).references, 1);
	CORE_EQ(depot_put(depot, handle), 0);
	CORE_EQ(hold_info(test, depot, ref).references, 0);
	CORE_EQ(depot_put(depot, handle), -EINVAL);
	CORE_EQ(hold_info(test, depot, ref).references, 0);
	core_finish(test, depot);
}

static void a_referenced_trace_stays(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	u32 handle = core_save_own(depot, 1, 20, STACKDEPOT_GET);
	u64 ref = depot_trace_ref(depot, handle);

	hold_churn(test, depot, 2);
	CORE_TRUE(core_has_own(depot, ref, 1, 20));
	CORE_EQ(core_save_own(depot, 1, 20, 0), handle);
	CORE_EQ(depot_put(depot, handle), 0);
	/* Not erased: a late report still finds it. */
	CORE_TRUE(core_has_own(depot, ref, 1, 20));
	hold_churn(test, depot, 3);
	CORE_EQ(depot_fetch_ref(depot, ref, NULL, 0), -ESTALE);
	CORE_EQ(depot_get_ref(depot, ref), -ESTALE);
	CORE_EQ(depot_fetch(depot, handle, NULL, 0), -ESTALE);
	CORE_EQ(depot_get(depot, handle), -ESTALE);
	CORE_EQ(depot_put(depot, handle), -ESTALE);
	CORE_EQ(depot_trace_ref(depot, handle), 0);
	core_finish(test, depot);
}

static void a_kept_trace_stays(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	u32 handle = core_save_own(depot, 1, 20, STACKDEPOT_KEEP);
	u64 ref = depot_trace_ref(depot, handle);

	CORE_TRUE(hold_info(test, depot, ref).kept);
	hold_churn(test, depot, 2);
	CORE_TRUE(core_has_own(depot, ref, 1, 20));
	/* Referenced on top, and given back: still kept. */
	CORE_EQ(core_save_own(depot, 1, 20, STACKDEPOT_GET), handle);
	CORE_EQ(depot_put(depot, handle), 0);
	hold_churn(test, depot, 3);
	CORE_TRUE(core_has_own(depot, ref, 1, 20));
	core_finish(test, depot);
}

static void a_stored_trace_can_become_kept(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	u32 handle = core_save_own(depot, 1, 20, 0);
	u64 ref = depot_trace_ref(depot, handle);

	/* A leased save of it would have nothing to write. */
	CORE_EQ(core_save_own(depot, 1, 20, 0), handle);
	CORE_TRUE(!hold_info(test, depot, ref).kept);
	CORE_EQ(core_save_own(depot, 1, 20, STACKDEPOT_KEEP), handle);
	CORE_TRUE(hold_info(test, depot, ref).kept);
	CORE_EQ(hold_info(test, depot, ref).references, 0);
	hold_churn(test, depot, 2);
	CORE_TRUE(core_has_own(depot, ref, 1, 20));
	core_finish(test, depot);
}

static void keep_and_get_add_up(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	u32 handle = core_save1(depot, 1, STACKDEPOT_KEEP | STACKDEPOT_GET);
	u64 ref = depot_trace_ref(depot, handle);

	CORE_TRUE(hold_info(test, depot, ref).kept);
	CORE_EQ(hold_info(test, depot, ref).references, 1);
	CORE_EQ(core_save1(depot, 1, STACKDEPOT_KEEP | STACKDEPOT_GET), handle);
	CORE_EQ(hold_info(test, depot, ref).references, 2);
	core_finish(test, depot);
}

/* A line is held by the longer traces that end in it. */
static void a_longer_trace_holds_its_outer_frames(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	const unsigned int nr = 3 * TRACE_LINE, outer_nr = 2 * TRACE_LINE;
	uintptr_t frames[3 * TRACE_LINE];
	u32 outer, whole;
	u64 ref;
	unsigned int i;

	for (i = 0; i < nr; i++)
		frames[i] = TRACE_NEAR(0x1000 + i);
	outer = depot_save(depot, frames + TRACE_LINE, outer_nr, 0);
	whole = depot_save(depot, frames, nr, STACKDEPOT_GET);
	ref = depot_trace_ref(depot, outer);
	CORE_EQ(hold_info(test, depot, ref).references, 1);
	hold_churn(test, depot, 2);
	core_expect(test, depot, outer, frames + TRACE_LINE, outer_nr);
	core_expect(test, depot, whole, frames, nr);
	CORE_EQ(depot_put(depot, whole), 0);
	hold_churn(test, depot, 3);
	CORE_EQ(depot_fetch_ref(depot, ref, NULL, 0), -ESTALE);
	CORE_EQ(core_count_free(depot, 4), 10);
	core_finish(test, depot);
}

/* More references than fit: the trace is kept from then on, and the depot says so. */
static void too_many_references_keep(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	u32 handle = core_save1(depot, 1, 0);
	u64 ref = depot_trace_ref(depot, handle);
	unsigned int i;

	for (i = 0; i < (1u << 20) - 2; i++)
		CORE_EQ(depot_get(depot, handle), 0);
	CORE_EQ(core_stats(depot).saturated, 0);
	CORE_EQ(depot_put(depot, handle), 0);
	for (i = 0; i < 5; i++)
		CORE_EQ(depot_get(depot, handle), 0);
	CORE_EQ(core_stats(depot).saturated, 1);
	for (i = 0; i < 1u << 21; i++)
		CORE_EQ(depot_put(depot, handle), 0);
	hold_churn(test, depot, 2);
	CORE_EQ(depot_fetch_ref(depot, ref, NULL, 0), 1);
	core_finish(test, depot);
}

CORE_SUITE(hold, CORE_CASE(references_are_counted), CORE_CASE(a_referenced_trace_stays),
	   CORE_CASE(a_kept_trace_stays), CORE_CASE(a_stored_trace_can_become_kept),
	   CORE_CASE(keep_and_get_add_up), CORE_CASE(a_longer_trace_holds_its_outer_frames),
	   CORE_CASE(too_many_references_keep));
