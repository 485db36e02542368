/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* nested.c - scenarios in which a signal handler uses the depot in the middle of an operation. */
#include "world.h"

static void get_a_0(void)
{
	world_save(0, A, GET);
}

static void get_a_10(void)
{
	world_save(10, A, GET);
}

static void nested_get_a(void)
{
	world_save(5, A, GET);
}

static void nested_get_x(void)
{
	world_save(5, X, GET);
}

static void nested_child_2(void)
{
	world_save(5, CHILD_2, GET);
}

static void get_child_1(void)
{
	world_save(0, CHILD_1, GET);
}

static void get_y_10(void)
{
	world_save(10, Y, GET);
}

static void verify_same_0_5(void)
{
	/* The signal may not have struck. */
	VERIFY(!world.slots[5].ref || world.slots[0].ref == world.slots[5].ref);
}

static void fill_two_hold_one(void)
{
	world_save(40, A, 0);
	world_save(41, B, 0);
	world_save(42, C, GET);
}

static void fill_four(void)
{
	world_save(40, B, 0);
	world_save(41, C, 0);
	world_save(42, FLAT(9), 0);
	world_save(43, FLAT(10), 0);
}

static void nested_put_42(void)
{
	world_put(42);
}

static void put_42(void)
{
	world_put(42);
}

static void hold_two_references(void)
{
	world_save(40, A, 0);
	world_save(42, C, GET);
	(void)world_get(42);
}

static void fill_a(void)
{
	world_save(40, A, 0);
}

static void fetch_40(void)
{
	world_fetch(40);
}

static void nested_recycle(void)
{
	world_save(5, X, 0);
	world_save(6, Y, 0);
}

static void get_40(void)
{
	if (world_get(40))
		world_fetch(40);
}

static void fill_expired(void)
{
	world_save(40, A, 0);
	(void)stackdepot_tick(&world_depot);
	(void)stackdepot_tick(&world_depot);
	world_save(41, B, 0);
}

static void lease_a_0(void)
{
	world_save(0, A, 0);
}

static void nested_lease_x(void)
{
	world_save(5, X, 0);
}

const struct scenario scenarios_nested[] = {
	{.name = "save in save, same trace", .lines = 2, .buckets = 1, .bound = 1,
	 .threads = {get_a_0}, .handlers = {nested_get_a}, .verify = verify_same_0_5},
	{.name = "save in save, depot full", .lines = 4, .buckets = 1, .bound = 1,
	 .prepare = fill_four, .threads = {get_a_0}, .handlers = {nested_get_x}},
	{.name = "save in save, depot full, same trace", .lines = 3, .buckets = 1, .bound = 1,
	 .flags = MAY_DROP, .prepare = fill_two_hold_one, .threads = {get_a_0},
	 .handlers = {nested_get_a}},
	{.name = "save in save, same parent", .lines = 4, .buckets = 1, .bound = 1,
	 .threads = {get_child_1}, .handlers = {nested_child_2}},
	{.name = "save in save/save", .lines = 3, .buckets = 1, .bound = 2, .flags = MAY_DROP,
	 .prepare = fill_two_hold_one, .threads = {get_a_0, get_y_10},
	 .handlers = {nested_get_a}},
	{.name = "save in save/save, same trace", .lines = 4, .buckets = 1, .bound = 2,
	 .flags = MAY_DROP, .prepare = fill_four, .threads = {get_a_0, get_a_10},
	 .handlers = {nested_get_a, NULL}},
	{.name = "put in save", .lines = 3, .buckets = 1, .bound = 1, .flags = MAY_DROP,
	 .prepare = fill_two_hold_one, .threads = {get_y_10}, .handlers = {nested_put_42}},
	{.name = "put in put/save", .lines = 2, .buckets = 1, .bound = 3, .flags = MAY_DROP,
	 .prepare = hold_two_references, .threads = {put_42, get_y_10},
	 .handlers = {nested_put_42}},
	{.name = "save in fetch", .lines = 1, .buckets = 1, .bound = 1,
	 .prepare = fill_a, .threads = {fetch_40}, .handlers = {nested_recycle}},
	{.name = "save in get", .lines = 1, .buckets = 1, .bound = 1, .flags = MAY_DROP,
	 .prepare = fill_a, .threads = {get_40}, .handlers = {nested_recycle}},
	{.name = "leased save in leased save", .lines = 2, .buckets = 1, .lease_ticks = 1,
	 .bound = 1, .flags = MAY_BREAK, .prepare = fill_expired, .threads = {lease_a_0},
	 .handlers = {nested_lease_x}},
	{.name = NULL},
};
