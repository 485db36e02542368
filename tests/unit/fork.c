/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What fork() does to a depot: an anonymous one is copied, a file is shared. */
#include "depot.h"
#include "take.h"
#include "user_test.h"

/* In the child: what is to hold, or exit with the line that says so. */
#define CHILD(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			_exit(__LINE__ % 255 + 1);                                                 \
	} while (0)

static void the_child_of_an_anonymous_depot_has_a_copy(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 50, 0, 0);
	stackdepot_ref_t ref = stackdepot_ref(depot, core_save_own(depot, 1, 20, STACKDEPOT_GET));
	struct stackdepot_stats before = core_stats(depot);
	pid_t pid = fork();
	unsigned int i;

	if (!pid) {
		CHILD(core_has_own(depot, ref, 1, 20));
		CHILD(stackdepot_fork_child(depot) == 0);
		for (i = 0; i < 1000; i++)
			CHILD(core_save1(depot, i, 0));
		CHILD(core_has_own(depot, ref, 1, 20));
		CHILD(stackdepot_check(depot) == 0);
		_exit(0);
	}
	CORE_EQ(user_wait(pid), 0);
	CORE_EQ(core_stats(depot).saved, before.saved);
	CORE_EQ(core_stats(depot).lines_used, before.lines_used);
	core_finish(test, depot);
}

static void parent_and_child_share_a_file(core_test *test)
{
	struct stackdepot *depot = user_create_file(user_file("depot"), 50, 0);
	stackdepot_ref_t ref = stackdepot_ref(depot, core_save_own(depot, 1, 20, STACKDEPOT_GET));
	stackdepot_handle_t handle;
	pid_t pid = fork();

	if (!pid) {
		CHILD(stackdepot_fork_child(depot) == 0);
		CHILD(core_has_own(depot, ref, 1, 20));
		CHILD(core_save_own(depot, 2, 20, STACKDEPOT_GET));
		CHILD(stackdepot_put(depot, stackdepot_handle(depot, ref)) == 0);
		_exit(0);
	}
	CORE_EQ(user_wait(pid), 0);
	CORE_EQ(core_stats(depot).saved, 2);
	handle = core_save_own(depot, 2, 20, 0);
	CORE_EQ(core_stats(depot).saved, 2);
	CORE_EQ(stackdepot_put(depot, handle), 0);
	CORE_EQ(stackdepot_put(depot, handle), -EINVAL);
	CORE_EQ(stackdepot_put(depot, stackdepot_handle(depot, ref)), -EINVAL);
	core_finish(test, depot);
}

/* Lines that other threads were filling at the moment of the fork are given back. */
static void half_done_lines_are_given_back(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	unsigned int i;

	for (i = 0; i < 6; i++)
		CORE_NE(core_save1(depot, i, 0), 0);
	/* 4 fresh ones and 3 evicted ones in the hands of nobody who still lives. */
	for (i = 0; i < 7; i++)
		CORE_NE(depot_take(depot, 0), 0);
	CORE_EQ(core_count_free(depot, 1), 3);
	CORE_EQ(stackdepot_fork_child(depot), 7);
	CORE_EQ(stackdepot_check(depot), 0);
	CORE_EQ(stackdepot_fork_child(depot), 0);
	CORE_EQ(core_count_free(depot, 2), 10);
	core_finish(test, depot);
}

/* What other threads were taking out of the candidates is offered again, and nothing published. */
static void evictable_lines_are_offered(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	stackdepot_handle_t held = core_save1(depot, 77, STACKDEPOT_GET);
	unsigned int i;

	for (i = 1; i <= 10; i++) {
		CORE_NE(core_save1(depot, i, 0), 0);
		depot->candidates[0][0] &= ~(1ull << i);
	}
	for (i = 0; i < DEPOT_DISMISSALS; i++)
		depot->header->dismissals[i] = 1;
	CORE_EQ(stackdepot_check(depot), -EBADMSG);
	CORE_EQ(core_save1(depot, 78, 0), 0);
	CORE_EQ(stackdepot_fork_child(depot), 0);
	CORE_EQ(stackdepot_check(depot), 0);
	for (i = 0; i < DEPOT_DISMISSALS; i++)
		CORE_EQ((uint32_t)depot->header->dismissals[i], 0);
	CORE_EQ(core_count_free(depot, 1), 9);
	CORE_EQ(stackdepot_put(depot, held), 0);
	CORE_EQ(core_count_free(depot, 2), 10);
	core_finish(test, depot);
}

/* Entries of the ring that other threads were writing are written again, the events counted. */
static void half_written_events_are_dropped(core_test *test)
{
	struct stackdepot_options options = {.max_bytes = 1 << 20, .ring_entries = 16};
	const struct stackdepot_event event = {.address = 1};
	struct stackdepot_event events[16];
	struct stackdepot *depot = NULL;
	unsigned int i;

	CORE_EQ(stackdepot_create(&options, &depot), 0);
	for (i = 0; i < 16; i++)
		CORE_EQ(stackdepot_ring_record(depot, &event), 0);
	depot->ring[3].sequence.counter = 2 * 3 + 1;
	depot->ring[7].sequence.counter = 2 * 7 + 1;
	CORE_EQ(stackdepot_ring_snapshot(depot, events, 16), 14);
	CORE_EQ(stackdepot_fork_child(depot), 0);
	CORE_EQ(core_stats(depot).ring_dropped, 2);
	CORE_EQ(stackdepot_ring_snapshot(depot, events, 16), 14);
	for (i = 0; i < 16; i++)
		CORE_EQ(stackdepot_ring_record(depot, &event), 0);
	CORE_EQ(stackdepot_ring_snapshot(depot, events, 16), 16);
	CORE_EQ(core_stats(depot).ring_dropped, 2);
	core_finish(test, depot);
}

USER_SUITE(fork, cmocka_unit_test(the_child_of_an_anonymous_depot_has_a_copy),
	   cmocka_unit_test(parent_and_child_share_a_file),
	   cmocka_unit_test(half_done_lines_are_given_back),
	   cmocka_unit_test(evictable_lines_are_offered),
	   cmocka_unit_test(half_written_events_are_dropped));
