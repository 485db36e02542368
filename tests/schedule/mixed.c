/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* mixed.c - scenarios of three threads, and of cursors. */
#include "world.h"

static void get_a_0(void)
{
	world_save(0, A, GET);
}

static void get_a_10(void)
{
	world_save(10, A, GET);
}

static void get_x_20(void)
{
	world_save(20, X, GET);
}

static void get_y_20(void)
{
	world_save(20, Y, GET);
}

static void get_x_10(void)
{
	world_save(10, X, GET);
}

static void fill_a_hold_b(void)
{
	world_save(40, A, 0);
	world_save(41, B, GET);
}

/* The line of A is recycled for X, and then for A again. */
static void get_x_put_get_a(void)
{
	world_save(10, X, GET);
	if (world.slots[10].ref)
		world_put(10);
	world_save(11, A, GET);
}

static void put_b_get_a(void)
{
	world_put(41);
	world_save(20, A, GET);
}

static void fill_three(void)
{
	world_save(40, B, 0);
	world_save(41, C, 0);
	world_save(42, FLAT(9), 0);
}

static void hold_a(void)
{
	world_save(40, A, GET);
}

static void put_40(void)
{
	world_put(40);
}

static void get_put_40(void)
{
	/* Only a handle: thread 0 may have put the reference back. */
	const struct world_slot *held = &world.slots[40];

	world.slots[10] = (struct world_slot){.trace = held->trace, .ref = held->ref};
	if (world_get(10)) {
		world_fetch(10);
		world_put(10);
	}
}

static void fill_child(void)
{
	world_save(40, CHILD_1, 0);
	world_save(41, B, 0);
}

static void fetch_40(void)
{
	world_fetch(40);
}

static void fill_only_child(void)
{
	world_save(40, CHILD_1, 0);
}

static void get_child_2(void)
{
	world_save(10, CHILD_2, GET);
}

static void get_parent_0(void)
{
	world_save(0, PARENT, GET);
}

static void keep_a_10(void)
{
	world_save(10, A, STACKDEPOT_KEEP);
}

static void lease_a_0(void)
{
	world_save(0, A, 0);
}

static void lease_b_10(void)
{
	world_save(10, B, 0);
}

static void lease_x_20(void)
{
	world_save(20, X, 0);
}

/* A and B are past their lease, C is not. */
static void fill_expired(void)
{
	world_save(40, A, 0);
	world_save(41, B, 0);
	(void)stackdepot_tick(&world_depot);
	(void)stackdepot_tick(&world_depot);
	world_save(42, C, 0);
}

/* The cursor knows the line of PARENT. */
static void fill_cursor(void)
{
	world_save_cursor(40, CHILD_1, 0, 0);
	VERIFY(world.cursor.lines == 1);
}

static void fill_cursor_and_one(void)
{
	fill_cursor();
	world_save(41, B, 0);
}

static void cursor_child_1(void)
{
	world_save_cursor(0, CHILD_1, GET, DEPOT_GROUP);
}

static void cursor_child_2(void)
{
	world_save_cursor(0, CHILD_2, GET, DEPOT_GROUP);
}

static void cursor_keep_child_2(void)
{
	world_save_cursor(0, CHILD_2, STACKDEPOT_KEEP, DEPOT_GROUP);
}

/* Two cursor saves, the second of which believes what the first left. */
static void cursor_twice(void)
{
	world_save_cursor(0, CHILD_2, 0, DEPOT_GROUP);
	world_save_cursor(1, CHILD_1, GET, DEPOT_GROUP);
}

/* Afterwards the line that was PARENT's is another parent's, with the same frames inside of it. */
static void recycle_as_parent(void)
{
	world_save(10, CHILD(2, 9), 0);
	world_save(11, CHILD(3, 2), 0);
}

static void get_x_and_y(void)
{
	world_save(10, X, GET);
	world_save(11, Y, GET);
}

static void verify_only_own_kept(void)
{
	struct stackdepot_trace_info info;

	/* What was kept is what was asked for. */
	if (world_alive(11) && !stackdepot_info(&world_depot, world.slots[11].ref, &info))
		VERIFY(!info.kept);
}

const struct scenario scenarios_mixed[] = {
	{.name = "save/recycle/save, all the same trace", .lines = 2, .buckets = 1, .bound = 2,
	 .flags = NO_LATE | MAY_DROP, .prepare = fill_a_hold_b,
	 .threads = {get_a_0, get_x_put_get_a, put_b_get_a}},
	{.name = "save/save/evict", .lines = 3, .buckets = 1, .bound = 2,
	 .flags = NO_LATE | MAY_DROP, .prepare = fill_three,
	 .threads = {get_a_0, get_a_10, get_x_20}},
	{.name = "save/keep/evict", .lines = 2, .buckets = 2, .bound = 2, .flags = MAY_DROP,
	 .prepare = fill_a_hold_b, .threads = {get_a_0, keep_a_10, get_x_20}},
	{.name = "put/get and put/evict", .lines = 1, .buckets = 1, .bound = 3, .flags = MAY_DROP,
	 .prepare = hold_a, .threads = {put_40, get_put_40, get_x_20}},
	{.name = "fetch child/evict child/evict parent", .lines = 2, .buckets = 1, .bound = 2,
	 .flags = MAY_DROP, .prepare = fill_only_child,
	 .threads = {fetch_40, get_x_10, get_y_20}},
	{.name = "fetch child/save sibling/evict", .lines = 3, .buckets = 1, .bound = 2,
	 .flags = MAY_DROP, .prepare = fill_child, .threads = {fetch_40, get_child_2, get_x_20}},
	{.name = "save parent/save child/evict", .lines = 3, .buckets = 2, .bound = 2,
	 .flags = MAY_DROP, .prepare = fill_child,
	 .threads = {get_parent_0, get_child_2, get_x_20}},
	{.name = "leased save/leased save/evict", .lines = 3, .buckets = 1, .lease_ticks = 1,
	 .bound = 2, .flags = NO_LATE | MAY_DROP | MAY_BREAK, .prepare = fill_expired,
	 .threads = {lease_a_0, lease_b_10, lease_x_20}},
	{.name = "cursor save/evict", .lines = 3, .buckets = 1, .bound = 2, .flags = MAY_DROP,
	 .prepare = fill_cursor_and_one, .threads = {cursor_child_1, get_x_and_y}},
	{.name = "cursor save/evict child and parent", .lines = 4, .buckets = 1, .bound = 2,
	 .flags = MAY_DROP, .prepare = fill_cursor_and_one,
	 .threads = {cursor_child_2, get_x_and_y}},
	{.name = "cursor save/recycle as parent", .lines = 2, .buckets = 1, .bound = 2,
	 .flags = MAY_DROP, .prepare = fill_cursor,
	 .threads = {cursor_child_2, recycle_as_parent}},
	{.name = "cursor keep/recycle as parent", .lines = 2, .buckets = 1, .bound = 2,
	 .flags = MAY_DROP, .prepare = fill_cursor,
	 .threads = {cursor_keep_child_2, recycle_as_parent}, .verify = verify_only_own_kept},
	{.name = "two cursor saves/evict", .lines = 3, .buckets = 1, .bound = 2, .flags = MAY_DROP,
	 .prepare = fill_cursor, .threads = {cursor_twice, get_x_10}},
	{.name = NULL},
};
