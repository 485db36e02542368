/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* lines.c - scenarios of two threads: saving, holding, fetching and evicting. */
#include "candidates.h"
#include "fetch.h"
#include "take.h"
#include "walk.h"
#include "world.h"

static void get_a_0(void)
{
	world_save(0, A, GET);
}

static void get_a_10(void)
{
	world_save(10, A, GET);
}

/* The port has no memory for the next line that is asked for. */
static void get_a_no_memory(void)
{
	port_test_fail_populate = 1;
	world_save(0, A, GET);
}

static void verify_no_memory(void)
{
	port_test_fail_populate = 0;
	VERIFY(world.drops <= 1);
	VERIFY(world.drops == world_counter(COUNT_DROPS_NO_MEMORY));
}

static void get_x_10(void)
{
	world_save(10, X, GET);
}

static void get_x_0(void)
{
	world_save(0, X, GET);
}

static void get_y_0(void)
{
	world_save(0, Y, GET);
}

static void verify_same_0_10(void)
{
	VERIFY(world.slots[0].ref && world.slots[0].ref == world.slots[10].ref);
}

/* Nobody leases it, also who finds it put in by the other one meanwhile. */
static void verify_same_not_leased(void)
{
	struct stackdepot_trace_info info;

	verify_same_0_10();
	VERIFY(!stackdepot_info(&world_depot, world.slots[0].ref, &info) && !info.leased);
}

static void lease_a_0(void)
{
	world_save(0, A, 0);
}

static void lease_a_10(void)
{
	world_save(10, A, 0);
}

static void get_child_1(void)
{
	world_save(0, CHILD_1, GET);
}

static void get_child_2(void)
{
	world_save(10, CHILD_2, GET);
}

static void get_child_2_0(void)
{
	world_save(0, CHILD_2, GET);
}

static void get_parent(void)
{
	world_save(10, PARENT, GET);
}

static void fill_outer(void)
{
	world_save(40, OUTER, GET);
}

static void get_grandchild_0(void)
{
	world_save(0, GRANDCHILD, GET);
}

static void get_grandchild_10(void)
{
	world_save(10, GRANDCHILD, GET);
}

static void get_wide_0(void)
{
	world_save(0, FLAT(WIDE), GET);
}

static void get_wide_10(void)
{
	world_save(10, FLAT(WIDE), GET);
}

/* Four traces that nobody holds. */
static void fill_four(void)
{
	world_save(40, A, 0);
	world_save(41, B, 0);
	world_save(42, C, 0);
	world_save(43, FLAT(9), 0);
}

static void fill_three(void)
{
	world_save(40, B, 0);
	world_save(41, C, 0);
	world_save(42, FLAT(9), 0);
}

static void get_a_and_two(void)
{
	world_save(10, A, GET);
	world_save(11, X, GET);
	world_save(12, Y, GET);
}

/* A line taken from among the candidates, as by an inserter; its bit is still set. */
static void take_line(void)
{
	world_save(40, A, 0);
	world.events[0] = depot_take(&world_depot, 0);
}

static void release_line(void)
{
	depot_release(&world_depot, world.events[0]);
}

static void fill_a(void)
{
	world_save(40, A, 0);
}

/* A can be evicted, the line of B cannot. */
static void fill_a_hold_b(void)
{
	world_save(40, A, 0);
	world_save(41, B, GET);
}

static void verify_one_drop(void)
{
	VERIFY(world.drops <= 1);
}

static void get_40(void)
{
	if (world_get(40))
		world_fetch(40);
}

static void get_handle_40(void)
{
	if (world_get_handle(40))
		world_fetch(40);
}

static void fetch_40(void)
{
	world_fetch(40);
	world_fetch(40);
}

/* All of it, or nothing. */
static void fetch_whole_40(void)
{
	uintptr_t expected[WORLD_FRAMES], frames[WORLD_FRAMES];
	const u32 handle = depot_trace_handle(&world_depot, world.slots[40].ref);
	const u32 nr = depot_fetch_whole(&world_depot, handle, frames, WORLD_FRAMES);

	VERIFY(!nr || nr == world_frames(world.slots[40].trace, expected));
	VERIFY(!memcmp(frames, expected, nr * sizeof(*frames)));
}

/* Two lives of the line that was 40's. */
static void recycle_twice(void)
{
	world_save(10, X, 0);
	world_save(11, Y, 0);
}

static void hold_two_of_a(void)
{
	world_save(40, A, GET);
	world_save(41, A, GET);
	world_save(42, B, GET);
}

static void hold_a_and_b(void)
{
	world_save(40, A, GET);
	world_save(41, B, GET);
}

static void put_40(void)
{
	world_put(40);
}

static void put_41(void)
{
	world_put(41);
}

static void fill_child(void)
{
	world_save(40, CHILD_1, 0);
}

static void get_x_and_y(void)
{
	world_save(10, X, GET);
	world_save(11, Y, GET);
}

static void fill_child_and_two(void)
{
	world_save(40, CHILD_1, 0);
	world_save(41, A, 0);
	world_save(42, B, 0);
}

static void keep_a(void)
{
	world_save(0, A, STACKDEPOT_KEEP);
}

static void lease_x(void)
{
	world_save(10, X, 0);
}

/* A's lease has run out, B's has not; C is held. */
static void fill_expired(void)
{
	world_save(40, A, 0);
	world_save(42, C, GET);
	(void)stackdepot_tick(&world_depot);
	(void)stackdepot_tick(&world_depot);
	world_save(41, B, 0);
}

static void tick_twice(void)
{
	(void)stackdepot_tick(&world_depot);
	(void)stackdepot_tick(&world_depot);
}

static void lease_a_tick(void)
{
	world_save(0, A, 0);
	(void)stackdepot_tick(&world_depot);
	world_save(1, A, 0);
}

/* Everything is leased. */
static void fill_leased(void)
{
	world_save(40, A, 0);
	world_save(41, B, 0);
}

static void iterate(void)
{
	struct stackdepot_trace_info info;
	uint32_t position = 0;
	stackdepot_ref_t ref;
	u32 seen = 0;

	while ((ref = stackdepot_next(&world_depot, &position))) {
		int error = stackdepot_info(&world_depot, ref, &info);

		VERIFY(error == -ESTALE || (!error && info.frames == 2));
		seen += ref == world.slots[41].ref;
	}
	VERIFY(seen == 1);
}

/* In two buckets: A's line goes over into the other chain while somebody looks through it. */
static void fill_bucket_0(void)
{
	world_save(41, FLAT(world_leaf_in(0, 20)), GET);
	world_save(40, FLAT(world_leaf_in(0, 1)), 0);
}

static void get_second_of_bucket_0(void)
{
	world_save(0, FLAT(world_leaf_in(0, 20)), GET);
}

static void get_in_bucket_1(void)
{
	world_save(10, FLAT(world_leaf_in(1, 30)), GET);
}

static void cycle_bucket_1(void)
{
	world_save(10, FLAT(world_leaf_in(1, 30)), GET);
	world_put(10);
	world_save(11, FLAT(world_leaf_in(0, 40)), GET);
}

static void get_absent_of_bucket_0(void)
{
	world_save(0, FLAT(world_leaf_in(0, 20)), GET);
}

static void fill_one_of_bucket_0(void)
{
	world_save(40, FLAT(world_leaf_in(0, 1)), 0);
	world_save(42, FLAT(world_leaf_in(0, 50)), GET);
}

static void get_absent_after_cycle(void)
{
	world_save(10, FLAT(world_leaf_in(1, 30)), GET);
	world_save(11, FLAT(world_leaf_in(0, 20)), GET);
}

/* A was stored a while ago. */
static void fill_a_long_ago(void)
{
	world_save(40, A, 0);
	(void)stackdepot_tick(&world_depot);
	(void)stackdepot_tick(&world_depot);
}

static void tick_lease_a(void)
{
	(void)stackdepot_tick(&world_depot);
	world_save(10, A, 0);
}

static void tick_lease_a_20(void)
{
	(void)stackdepot_tick(&world_depot);
	world_save(20, A, 0);
}

/* A is got and put, B only leased; then one of them has to go. */
static void hot_by_reference(void)
{
	world_save(0, A, GET);
	world_put(0);
	world_save(10, X, 0);
}

static void fill_a_and_b(void)
{
	world_save(40, A, 0);
	world_save(41, B, 0);
}

static void verify_a_alive(void)
{
	VERIFY(world_alive(40));
}

static void walk_40(void)
{
	(void)world_walk(40);
}

/* A reader who believes the outermost line finds its frames, or nothing. */
static void walk_40_from_its_root(void)
{
	struct depot_walk walk;
	uintptr_t frames[DEPOT_GROUP], expected[WORLD_FRAMES];
	u64 root = world_walk(40);
	int nr;

	if (!root || depot_walk_begin(&world_depot, root, &walk))
		return;
	nr = depot_walk_next(&world_depot, &walk, frames);
	VERIFY(nr == -ESTALE || nr == (int)DEPOT_GROUP);
	(void)world_frames(PARENT, expected);
	VERIFY(nr < 0 || !memcmp(frames, expected, sizeof(frames)));
}

/* Seventy lines: two words of candidates, and one above. All are held, and known to be. */
static void fill_seventy(void)
{
	u32 i;

	for (i = 0; i < 70; i++)
		world_save(20 + i, FLAT(100 + i), GET);
	world_save(0, X, GET);
}

static void put_line_66(void)
{
	world_put(20 + 65);
}

static void put_line_67(void)
{
	world_put(20 + 66);
}

static void lease_then_put(void)
{
	world_save(10, X, 0);
	world_put(20 + 65);
}

/* The candidate of line 66 is stale: it is held again. */
static void fill_seventy_stale(void)
{
	fill_seventy();
	world_put(20 + 65);
	(void)world_get(20 + 65);
}

/* A is held, and the search knows it. */
static void hold_a_dismissed(void)
{
	world_save(40, A, GET);
	world_save(0, X, GET);
}

static void hold_a(void)
{
	world_save(40, A, GET);
}

static void dismiss_line_1(void)
{
	(void)depot_candidate_dismiss(&world_depot, 1);
}

static void put_line_66_x_gets_in(void)
{
	world_put(20 + 65);
	world_save_for_sure(10, X, GET);
}

/* The word of line 66 is empty, and the level above does not know yet. */
static void fill_seventy_unsummarised(void)
{
	fill_seventy_stale();
	(void)depot_candidate_dismiss(&world_depot, 66);
}

static void summarise_candidates(void)
{
	(void)depot_candidate_next(&world_depot, 64);
}

static void x_gets_in(void)
{
	world_save_for_sure(10, X, GET);
}

static void put_41_x_gets_in(void)
{
	world_put(41);
	world_save_for_sure(10, X, GET);
}

/* Lines never used before: one that the other has taken is not to hide this one's. */
static void lease_y_x_gets_in(void)
{
	world_save(11, Y, 0);
	world_save_for_sure(10, X, GET);
}

/*
 * An index of 4, 16 and 64 buckets. T goes through all three; between its first chain and its last
 * there is none that U is on.
 */
#define T FLAT(world_leaf_in(4 * 5, 1))
#define U FLAT(world_leaf_in(4 * 4, 60))

/* As depot_index_grow() does when it is due. */
static void grow(void)
{
	u32 digits = READ_ONCE(world_depot.header->digits);

	(void)try_cmpxchg(&world_depot.header->digits, &digits, digits << 2 | 3);
}

static void grow_twice(void)
{
	grow();
	grow();
}

static void get_t_0(void)
{
	world_save(0, T, GET);
}

static void get_t_10(void)
{
	world_save(10, T, GET);
}

static void get_u_0(void)
{
	world_save(0, U, GET);
}

static void grow_get_t_10(void)
{
	grow();
	world_save(10, T, GET);
}

static void grow_twice_get_u_10(void)
{
	grow_twice();
	world_save(10, U, GET);
}

static void get_u_10(void)
{
	world_save(10, U, GET);
}

/* The first to want U's bucket, for another trace. */
static void grow_twice_open_u(void)
{
	grow_twice();
	world_save(20, FLAT(world_leaf_in(4 * 4, U.leaf + 1)), GET);
}

/* The first to want T's bucket and the one that it comes from. */
static void grow_twice_open_t(void)
{
	grow_twice();
	world_save(20, FLAT(world_leaf_in(4 * 5, T.leaf + 1)), GET);
}

static void grow_get_t_grow_get_u(void)
{
	grow();
	world_save(11, T, GET);
	grow();
	world_save(10, U, GET);
}

/* U is where it was before the index grew. */
static void fill_u_grow(void)
{
	world_save(40, U, 0);
	grow_twice();
}

/* Its line is filled again, for a chain that leads to its first one. */
static void recycle_to_inner_chain(void)
{
	world_save(10, FLAT(world_leaf_in(4 * 4, U.leaf + 1)), GET);
}

static void u_is_stored_once(void)
{
	world_save(60, U, GET);
	VERIFY(!world.slots[0].ref || world.slots[0].ref == world.slots[60].ref);
}

const struct scenario scenarios_lines[] = {
	{.name = "save/save, same trace",
	 .lines = 4,
	 .buckets = 1,
	 .bound = 3,
	 .threads = {get_a_0, get_a_10},
	 .verify = verify_same_0_10},
	{.name = "save/save, same trace, leased",
	 .lines = 4,
	 .buckets = 2,
	 .lease_ticks = 1,
	 .bound = 3,
	 .threads = {lease_a_0, lease_a_10},
	 .verify = verify_same_0_10},
	{.name = "save/save, same trace, got",
	 .lines = 4,
	 .buckets = 2,
	 .lease_ticks = 1,
	 .bound = 2,
	 .threads = {get_a_0, get_a_10},
	 .verify = verify_same_not_leased},
	{.name = "save/save, same wide trace",
	 .lines = 4,
	 .buckets = 1,
	 .bound = 2,
	 .threads = {get_wide_0, get_wide_10},
	 .verify = verify_same_0_10},
	{.name = "save/save, same parent",
	 .lines = 5,
	 .buckets = 1,
	 .bound = 2,
	 .threads = {get_child_1, get_child_2}},
	{.name = "save/save, parent and child",
	 .lines = 4,
	 .buckets = 1,
	 .bound = 2,
	 .threads = {get_child_1, get_parent}},
	{.name = "save/save, same trace below what is there",
	 .lines = 5,
	 .buckets = 1,
	 .bound = 2,
	 .prepare = fill_outer,
	 .threads = {get_grandchild_0, get_grandchild_10},
	 .verify = verify_same_0_10},
	{.name = "save/save, last line",
	 .lines = 1,
	 .buckets = 1,
	 .bound = 3,
	 .flags = MAY_DROP,
	 .threads = {get_a_0, get_a_10},
	 .verify = verify_one_drop},
	{.name = "save/save, no memory",
	 .lines = 3,
	 .buckets = 1,
	 .bound = 3,
	 .flags = MAY_DROP,
	 .threads = {get_a_no_memory, get_x_10},
	 .verify = verify_no_memory},
	{.name = "save/save, depot full",
	 .lines = 4,
	 .buckets = 1,
	 .bound = 2,
	 .prepare = fill_four,
	 .threads = {get_y_0, get_x_10}},
	{.name = "save/save of the same, depot full",
	 .lines = 4,
	 .buckets = 1,
	 .bound = 2,
	 .prepare = fill_four,
	 .threads = {get_x_0, get_x_10},
	 .verify = verify_same_0_10},
	{.name = "save/save of the same, then all lines",
	 .lines = 3,
	 .buckets = 1,
	 .bound = 2,
	 .flags = MAY_DROP,
	 .prepare = fill_three,
	 .threads = {get_a_0, get_a_and_two}},
	{.name = "release/save",
	 .lines = 1,
	 .buckets = 1,
	 .bound = 3,
	 .flags = MAY_DROP,
	 .prepare = take_line,
	 .threads = {release_line, get_x_10}},
	{.name = "save/evict",
	 .lines = 2,
	 .buckets = 1,
	 .bound = 3,
	 .flags = MAY_DROP,
	 .prepare = fill_a_hold_b,
	 .threads = {get_a_0, get_x_10},
	 .verify = verify_one_drop},
	{.name = "get/evict",
	 .lines = 1,
	 .buckets = 1,
	 .bound = 3,
	 .flags = MAY_DROP,
	 .prepare = fill_a,
	 .threads = {get_40, recycle_twice}},
	{.name = "get/evict by handle",
	 .lines = 1,
	 .buckets = 2,
	 .bound = 3,
	 .flags = MAY_DROP,
	 .prepare = fill_a,
	 .threads = {get_handle_40, recycle_twice}},
	{.name = "put/evict",
	 .lines = 2,
	 .buckets = 1,
	 .bound = 3,
	 .flags = MAY_DROP,
	 .prepare = hold_a_and_b,
	 .threads = {put_40, get_x_10}},
	{.name = "put/put/evict",
	 .lines = 2,
	 .buckets = 1,
	 .bound = 3,
	 .flags = MAY_DROP,
	 .prepare = hold_two_of_a,
	 .threads = {put_40, put_41, get_x_10}},
	{.name = "fetch/evict",
	 .lines = 1,
	 .buckets = 1,
	 .bound = 3,
	 .prepare = fill_a,
	 .threads = {fetch_40, recycle_twice}},
	{.name = "fetch whole/evict",
	 .lines = 1,
	 .buckets = 1,
	 .bound = 3,
	 .prepare = fill_a,
	 .threads = {fetch_whole_40, recycle_twice}},
	{.name = "iterate/evict",
	 .lines = 2,
	 .buckets = 1,
	 .bound = 2,
	 .prepare = fill_a_hold_b,
	 .threads = {iterate, recycle_twice}},
	{.name = "fetch child/evict child and parent",
	 .lines = 2,
	 .buckets = 1,
	 .bound = 3,
	 .prepare = fill_child,
	 .threads = {fetch_40, get_x_and_y}},
	{.name = "save child/evict child and parent",
	 .lines = 4,
	 .buckets = 1,
	 .bound = 2,
	 .flags = MAY_DROP,
	 .prepare = fill_child_and_two,
	 .threads = {get_child_1, get_x_and_y}},
	{.name = "save sibling/evict child and parent",
	 .lines = 4,
	 .buckets = 2,
	 .bound = 2,
	 .flags = MAY_DROP,
	 .prepare = fill_child_and_two,
	 .threads = {get_child_2_0, get_x_and_y}},
	{.name = "keep/evict",
	 .lines = 2,
	 .buckets = 1,
	 .bound = 3,
	 .flags = MAY_DROP,
	 .prepare = fill_a_hold_b,
	 .threads = {keep_a, get_x_10}},
	{.name = "leased save/evict",
	 .lines = 3,
	 .buckets = 1,
	 .lease_ticks = 1,
	 .bound = 3,
	 .flags = NO_LATE | MAY_BREAK,
	 .prepare = fill_expired,
	 .threads = {lease_a_0, lease_x}},
	{.name = "leased save/evict/tick",
	 .lines = 3,
	 .buckets = 1,
	 .lease_ticks = 1,
	 .bound = 2,
	 .flags = MAY_BREAK,
	 .prepare = fill_expired,
	 .threads = {lease_a_tick, lease_x}},
	{.name = "lease break/save",
	 .lines = 2,
	 .buckets = 1,
	 .lease_ticks = 1,
	 .bound = 3,
	 .flags = NO_LATE | MAY_DROP | MAY_BREAK,
	 .prepare = fill_leased,
	 .threads = {lease_a_0, lease_x}},
	{.name = "lease break/ticks",
	 .lines = 2,
	 .buckets = 1,
	 .lease_ticks = 1,
	 .bound = 3,
	 .flags = MAY_DROP | MAY_BREAK,
	 .prepare = fill_leased,
	 .threads = {tick_twice, lease_x}},
	{.name = "look-up/line goes to another chain",
	 .lines = 2,
	 .buckets = 2,
	 .bound = 3,
	 .flags = MAY_DROP,
	 .prepare = fill_bucket_0,
	 .threads = {get_second_of_bucket_0, get_in_bucket_1}},
	{.name = "look-up/line goes there and back",
	 .lines = 3,
	 .buckets = 2,
	 .bound = 2,
	 .flags = MAY_DROP,
	 .prepare = fill_bucket_0,
	 .threads = {get_second_of_bucket_0, cycle_bucket_1}},
	{.name = "insert/line goes to another chain",
	 .lines = 4,
	 .buckets = 2,
	 .bound = 2,
	 .flags = MAY_DROP,
	 .prepare = fill_one_of_bucket_0,
	 .threads = {get_absent_of_bucket_0, get_absent_after_cycle}},
	{.name = "candidates, put/save",
	 .lines = 70,
	 .buckets = 70,
	 .bound = 3,
	 .flags = MAY_DROP,
	 .prepare = fill_seventy,
	 .threads = {put_line_66, lease_x}},
	{.name = "candidates, put/put/save",
	 .lines = 70,
	 .buckets = 70,
	 .bound = 2,
	 .flags = MAY_DROP,
	 .prepare = fill_seventy,
	 .threads = {put_line_66, put_line_67, lease_x}},
	{.name = "candidates, stale one/put",
	 .lines = 70,
	 .buckets = 70,
	 .bound = 3,
	 .flags = MAY_DROP,
	 .prepare = fill_seventy_stale,
	 .threads = {put_line_66, lease_x}},
	{.name = "candidates, two searches/put",
	 .lines = 70,
	 .buckets = 70,
	 .bound = 2,
	 .flags = MAY_DROP,
	 .prepare = fill_seventy_stale,
	 .threads = {lease_then_put, get_y_0}},
	{.name = "leased save/tick and leased save",
	 .lines = 3,
	 .buckets = 1,
	 .lease_ticks = 4,
	 .bound = 3,
	 .prepare = fill_a_long_ago,
	 .threads = {lease_a_0, tick_lease_a}},
	{.name = "three leased saves and ticks",
	 .lines = 3,
	 .buckets = 1,
	 .lease_ticks = 4,
	 .bound = 3,
	 .flags = NO_LATE,
	 .prepare = fill_a_long_ago,
	 .threads = {lease_a_0, tick_lease_a, tick_lease_a_20}},
	{.name = "got and put, then evict",
	 .lines = 2,
	 .buckets = 1,
	 .bound = 0,
	 .prepare = fill_a_and_b,
	 .threads = {hot_by_reference},
	 .verify = verify_a_alive},
	{.name = "walk child/evict child and parent",
	 .lines = 2,
	 .buckets = 1,
	 .bound = 3,
	 .prepare = fill_child,
	 .threads = {walk_40, get_x_and_y}},
	{.name = "walk from the root/evict child and parent",
	 .lines = 2,
	 .buckets = 1,
	 .bound = 3,
	 .prepare = fill_child,
	 .threads = {walk_40_from_its_root, get_x_and_y}},
	{.name = "room, put/save",
	 .lines = 1,
	 .buckets = 1,
	 .bound = 3,
	 .flags = MAY_DROP,
	 .prepare = hold_a_dismissed,
	 .threads = {put_40, x_gets_in}},
	{.name = "room, dismiss/put/save",
	 .lines = 1,
	 .buckets = 1,
	 .bound = 3,
	 .flags = MAY_DROP,
	 .prepare = hold_a,
	 .threads = {dismiss_line_1, put_40, x_gets_in}},
	{.name = "room, dismiss/put and save",
	 .lines = 2,
	 .buckets = 1,
	 .bound = 2,
	 .flags = MAY_DROP,
	 .prepare = hold_two_of_a,
	 .threads = {dismiss_line_1, put_40, put_41_x_gets_in}},
	{.name = "room, summarise/put and save",
	 .lines = 70,
	 .buckets = 70,
	 .bound = 3,
	 .flags = MAY_DROP | NO_LATE,
	 .prepare = fill_seventy_unsummarised,
	 .threads = {summarise_candidates, put_line_66_x_gets_in}},
	{.name = "room, save/save and save",
	 .lines = 2,
	 .buckets = 1,
	 .bound = 3,
	 .flags = MAY_DROP,
	 .threads = {get_a_0, lease_y_x_gets_in}},
	{.name = "index grows/save/save, same trace",
	 .lines = 3,
	 .buckets = 64,
	 .bound = 3,
	 .threads = {grow_twice, get_t_0, get_t_10},
	 .verify = verify_same_0_10},
	{.name = "index grows and save/save, same trace",
	 .lines = 3,
	 .buckets = 64,
	 .bound = 3,
	 .threads = {get_t_0, grow_get_t_10},
	 .verify = verify_same_0_10},
	{.name = "index grows twice and save/save, same trace",
	 .lines = 3,
	 .buckets = 64,
	 .bound = 3,
	 .threads = {get_u_0, grow_twice_get_u_10},
	 .verify = verify_same_0_10},
	{.name = "index grows and save/save/save, same trace",
	 .lines = 4,
	 .buckets = 64,
	 .bound = 2,
	 .threads = {get_u_0, grow_twice_open_u, get_u_10},
	 .verify = verify_same_0_10},
	{.name = "index grows twice and save/save/save, same trace",
	 .lines = 4,
	 .buckets = 64,
	 .bound = 2,
	 .threads = {get_t_0, grow_twice_open_t, get_t_10},
	 .verify = verify_same_0_10},
	{.name = "index grows between saves/save",
	 .lines = 4,
	 .buckets = 64,
	 .bound = 3,
	 .threads = {get_u_0, grow_get_t_grow_get_u},
	 .verify = verify_same_0_10},
	{.name = "look-up in a grown index/line goes to an inner chain",
	 .lines = 1,
	 .buckets = 64,
	 .bound = 2,
	 .flags = MAY_DROP,
	 .prepare = fill_u_grow,
	 .threads = {get_u_0, recycle_to_inner_chain},
	 .verify = u_is_stored_once},
	{.name = NULL},
};
