/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* again.c - scenarios of traces held by reference, and of references by the dozen. */
#include "world.h"

#define EXPIRED 2u /* ticks */

static void fill_a(void)
{
	world_save(40, A, 0);
}

/* Its lease is over. */
static void fill_old_a(void)
{
	u32 i;

	world_save(40, A, 0);
	for (i = 0; i < EXPIRED; i++)
		(void)stackdepot_tick(&world_depot);
}

/* Two owners; and a line beside. */
static void hold_a_twice(void)
{
	world_save(40, A, GET);
	world_save(41, A, GET);
	world_save(42, B, 0);
}

static void again_get(void)
{
	world_save_again(0, 40, GET);
}

static void again_get_put(void)
{
	world_save_again(0, 40, GET);
	if (world.slots[0].references)
		world_put(0);
}

static void again_keep(void)
{
	world_save_again(0, 40, STACKDEPOT_KEEP);
}

static void again_lease(void)
{
	world_save_again(0, 40, 0);
}

static void get_x(void)
{
	world_save(10, X, GET);
}

static void get_x_and_y(void)
{
	world_save(10, X, GET);
	world_save(11, Y, GET);
}

static void get_x_put(void)
{
	world_save(10, X, GET);
	if (world.slots[10].ref)
		world_put(10);
}

static void keep_x(void)
{
	world_save(10, X, STACKDEPOT_KEEP);
}

static void lease_x(void)
{
	world_save(10, X, 0);
}

static void bulk_40(void)
{
	world_get_bulk(40, 3);
	world_put_bulk(40, 4);
}

static void bulk_40_twice(void)
{
	world_get_bulk(40, 3);
	world_put_bulk(40, 2);
	world_put_bulk(40, 2);
}

static void bulk_41(void)
{
	world_get_bulk(41, 2);
	world_put_bulk(41, 3);
}

static void put_41(void)
{
	world_put(41);
}

const struct scenario scenarios_again[] = {
	{.name = "again, get/evict", .lines = 1, .buckets = 1, .bound = 3, .flags = MAY_DROP,
	 .prepare = fill_a, .threads = {again_get, get_x}},
	{.name = "again, get/evict and put", .lines = 1, .buckets = 1, .bound = 3,
	 .flags = MAY_DROP, .prepare = fill_a, .threads = {again_get_put, get_x_put}},
	{.name = "again, keep/evict", .lines = 1, .buckets = 1, .bound = 3, .flags = MAY_DROP,
	 .prepare = fill_a, .threads = {again_keep, keep_x}},
	{.name = "again, lease/evict", .lines = 1, .buckets = 1, .lease_ticks = 1, .bound = 3,
	 .flags = MAY_DROP | MAY_BREAK, .prepare = fill_old_a,
	 .threads = {again_lease, lease_x}},
	{.name = "bulk, put/put", .lines = 2, .buckets = 1, .bound = 3, .flags = MAY_DROP,
	 .prepare = hold_a_twice, .threads = {bulk_40, put_41}},
	{.name = "bulk, bulk/evict", .lines = 2, .buckets = 1, .bound = 3, .flags = MAY_DROP,
	 .prepare = hold_a_twice, .threads = {bulk_40_twice, get_x_and_y}},
	{.name = "bulk, bulk/bulk/evict", .lines = 2, .buckets = 1, .bound = 2, .flags = MAY_DROP,
	 .prepare = hold_a_twice, .threads = {bulk_40, bulk_41, get_x_and_y}},
	{.name = NULL},
};
