/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* ring.c - scenarios of the stack ring: whole events, lapped writers, and what events refer to. */
#include "world.h"

#define ENTRIES 16u
#define TICK_EVENTS (ENTRIES / STACKDEPOT_RING_LEASE_TICKS)

/* All of an event follows from its address, so a mixture of two is recognised. */
static struct stackdepot_event event_of(u32 id, u64 trace)
{
	return (struct stackdepot_event){
		.address = id,
		.size = 3ull * id,
		.trace = trace,
		.origin = trace,
		.time = 5ull * id,
		.task = 7 * id,
		.kind = id,
	};
}

static bool record(u32 id, u64 trace)
{
	const struct stackdepot_event event = event_of(id, trace);
	int error = stackdepot_ring_record(&world_depot, &event);

	VERIFY(!error || error == -EAGAIN);
	world.events[0] += !error;
	return !error;
}

/* Events ever recorded; as the explorer does not see it. */
static u64 world_position(void)
{
	return (u64)world_depot.header->ring_position.counter;
}

static void fill_ring(void)
{
	u32 id;

	for (id = 1; id < ENTRIES; id++)
		(void)record(id, 0);
}

static void verify_event(const struct stackdepot_event *event)
{
	const struct stackdepot_event expected = event_of((u32)event->address, event->trace);

	VERIFY(event->address && event->size == expected.size && event->origin == expected.origin &&
	       event->time == expected.time && event->task == expected.task &&
	       event->kind == expected.kind);
}

/* Read all there is; the number of events. */
static u32 read_ring(void)
{
	struct stackdepot_event event;
	u64 position = 0, seen = 0;
	u32 nr = 0;

	while (stackdepot_ring_next(&world_depot, &position, &event)) {
		verify_event(&event);
		VERIFY(event.address < 64 && !(seen & 1ull << event.address));
		seen |= 1ull << event.address;
		nr++;
	}
	VERIFY(nr <= ENTRIES);
	return nr;
}

static void read_all(void)
{
	(void)read_ring();
}

static void find_15(void)
{
	struct stackdepot_event event;
	u64 position = 0;

	if (stackdepot_ring_find(&world_depot, &position, 15, ~0ull, &event)) {
		verify_event(&event);
		VERIFY(event.address == 15);
	}
}

static void record_21(void)
{
	(void)record(21, 0);
}

static void record_22_23(void)
{
	(void)record(22, 0);
	(void)record(23, 0);
}

static void record_31(void)
{
	(void)record(31, 0);
}

/* Once round the ring. */
static void record_a_turn(void)
{
	u32 id;

	for (id = 0; id < ENTRIES; id++)
		(void)record(40 + id, 0);
}

/*
 * What was recorded is there, but for what was overwritten; what was dropped was counted, twice if
 * it may have cost another event.
 */
static void verify_ring(void)
{
	const u64 dropped = world_counter(COUNT_RING_DROPPED);
	const u64 unused = world_counter(COUNT_RING_UNUSED); /* by pens that were let go */

	VERIFY(world_position() <= world.events[0] + dropped + unused);
	VERIFY(read_ring() + dropped + unused >= ENTRIES);
}

static void verify_no_drop(void)
{
	VERIFY(!world_counter(COUNT_RING_DROPPED));
	verify_ring();
}

static void fill_ring_and_a(void)
{
	fill_ring();
	world_save(40, A, 0);
	world_save(41, B, 0);
}

static void record_a(void)
{
	world_save(0, A, 0);
	(void)record(21, world.slots[0].ref);
}

static void save_x_and_y(void)
{
	world_save(10, X, 0);
	world_save(11, Y, 0);
}

static void turn_and_save_x(void)
{
	u32 id;

	for (id = 0; id < ENTRIES - 1; id++)
		(void)record(40 + id, 0);
	world_save(10, X, 0);
}

/* A has been in the depot for a while; its lease runs out within the next two ticks. */
static void fill_ring_then_turn(void)
{
	u32 id;

	world_save(40, A, 0);
	world_save(41, B, GET);
	for (id = 1; id < ENTRIES + TICK_EVENTS; id++)
		(void)record(id, 0);
}

static void record_old_a(void)
{
	(void)record(21, world.slots[40].ref);
}

static void ticks_and_save_x(void)
{
	(void)record(31, 0);
	(void)record(32, 0);
	world_save(10, X, 0);
}

/* What the ring refers to is there, unless it was counted. */
static void verify_traces(void)
{
	struct stackdepot_event event;
	u64 position = 0, missing = 0;

	verify_ring();
	while (stackdepot_ring_next(&world_depot, &position, &event)) {
		uintptr_t frames[WORLD_FRAMES];

		if (event.trace && stackdepot_fetch_ref(&world_depot, event.trace, frames,
							WORLD_FRAMES) < 0)
			missing++;
	}
	VERIFY(missing <= world_counter(COUNT_LEASES_BROKEN) + world_counter(COUNT_RING_STALE));
}

/* The writer of the oldest entry was killed. */
static void fill_ring_and_kill(void)
{
	fill_ring();
	(void)record(16, 0);
	atomic64_set(&world_depot.ring[0].sequence, 1);
	world.events[0]--;
}

/* So many turns at once: what would have been recorded was. */
static void skip_turns(u32 turns)
{
	world_depot.header->ring_position.counter += turns * ENTRIES;
	world.events[0] += turns * ENTRIES;
}

static void turns_and_a_turn(void)
{
	skip_turns(2);
	record_a_turn();
}

/* Of a writer gone the last event is lost, and counted; its entry is used again. */
static void verify_all_entries(void)
{
	VERIFY(read_ring() == ENTRIES);
	VERIFY(world_counter(COUNT_RING_DROPPED) == 1);
}

/* Turns later, onto the entry of an event that is just being written. */
static void skip_and_record_31(void)
{
	skip_turns(3);
	world_depot.header->ring_position.counter--;
	world.events[0]--;
	world.events[1] = record(31, 0);
}

/* The newest event is there, or was dropped, or damaged by a writer that came late: and counted. */
static void verify_late_writer(void)
{
	const u64 dropped = world_counter(COUNT_RING_DROPPED);
	struct stackdepot_event event;
	u64 position = 0;

	VERIFY(world.events[0] + dropped >= world_position());
	(void)read_ring();
	if (world.events[1] && dropped < 2)
		VERIFY(stackdepot_ring_find(&world_depot, &position, 31, ~0ull, &event) == 1);
}

/* --- pens: those of ids 21 to 29 and of 31 to 39 -------------------------------------------- */

static bool write_with_pen(u32 id)
{
	const struct stackdepot_event event = event_of(id, 0);
	int error = stackdepot_ring_write(&world_depot, &world.pens[id >= 30], &event);

	VERIFY(!error || error == -EAGAIN);
	world.events[0] += !error;
	return !error;
}

static void write_23(void)
{
	(void)write_with_pen(23);
}

static void write_23_24(void)
{
	(void)write_with_pen(23);
	(void)write_with_pen(24);
}

static void write_33_34(void)
{
	(void)write_with_pen(33);
	(void)write_with_pen(34);
}

/* Each pen has a position left, from before the other events. */
static void fill_with_pens(void)
{
	u32 id;

	for (id = 21; id < 23; id++) {
		(void)write_with_pen(id);
		(void)write_with_pen(id + 10);
	}
	for (id = 1; id < 5; id++)
		(void)record(id, 0);
}

static bool find(u32 id, struct stackdepot_event *ret_event)
{
	u64 position = 0;

	return stackdepot_ring_find(&world_depot, &position, id, ~0ull, ret_event);
}

/* What one sees has happened before what one does then. */
static void record_51_after_23(void)
{
	struct stackdepot_event event;

	world.events[2] = find(23, &event);
	(void)record(51, 0);
}

static void write_33_after_23(void)
{
	struct stackdepot_event event;

	world.events[2] = find(23, &event);
	(void)write_with_pen(33);
}

/* How many events are found before this one, hence are newer? */
static u32 events_newer(u32 id)
{
	struct stackdepot_event event;
	u64 position = 0, order = ~0ull;
	u32 nr = 0;

	while (stackdepot_ring_find(&world_depot, &position, 0, 0, &event) && nr < 64) {
		verify_event(&event);
		VERIFY(event.order <= order);
		order = event.order;
		if (event.address == id)
			return nr;
		nr++;
	}
	return 64;
}

/* Each pen's events are in their order, and newer than what was there before. */
static void verify_pens(void)
{
	VERIFY(!world_counter(COUNT_RING_DROPPED));
	VERIFY(read_ring() == world.events[0]);
	VERIFY(events_newer(24) < events_newer(23));
	VERIFY(events_newer(34) < events_newer(33));
	VERIFY(events_newer(23) < events_newer(4) && events_newer(33) < events_newer(4));
	VERIFY(events_newer(4) < events_newer(3) && events_newer(3) < events_newer(22));
}

static void verify_51_after_23(void)
{
	VERIFY(read_ring() == world.events[0]);
	VERIFY(events_newer(23) < events_newer(4));
	VERIFY(!world.events[2] || events_newer(51) < events_newer(23));
}

static void verify_33_after_23(void)
{
	struct stackdepot_event first, second;

	VERIFY(read_ring() == world.events[0]);
	VERIFY(find(23, &first) && find(33, &second));
	VERIFY(!world.events[2] || second.order >= first.order);
}

const struct scenario scenarios_ring[] = {
	{.name = "ring, pens/read", .lines = 1, .buckets = 1, .ring_entries = ENTRIES, .bound = 2,
	 .prepare = fill_ring, .threads = {write_23_24, write_33_34, read_all},
	 .verify = verify_no_drop},
	{.name = "ring, pen/read", .lines = 1, .buckets = 1, .ring_entries = ENTRIES, .bound = 4,
	 .prepare = fill_ring, .threads = {write_23_24, read_all}, .verify = verify_no_drop},
	{.name = "ring, pen/record/read", .lines = 1, .buckets = 1, .ring_entries = ENTRIES,
	 .bound = 2, .prepare = fill_ring, .threads = {write_23_24, record_31, read_all},
	 .verify = verify_no_drop},
	{.name = "ring, order of pens", .lines = 1, .buckets = 1, .ring_entries = 2 * ENTRIES,
	 .bound = 3, .prepare = fill_with_pens, .threads = {write_23_24, write_33_34},
	 .verify = verify_pens},
	{.name = "ring, record after pen", .lines = 1, .buckets = 1, .ring_entries = 2 * ENTRIES,
	 .bound = 3, .prepare = fill_with_pens, .threads = {write_23, record_51_after_23},
	 .verify = verify_51_after_23},
	{.name = "ring, pen after pen", .lines = 1, .buckets = 1, .ring_entries = 2 * ENTRIES,
	 .bound = 3, .prepare = fill_with_pens, .threads = {write_23, write_33_after_23},
	 .verify = verify_33_after_23},
	/* Not with late stores: docs/ordering.md, argument 8. */
	{.name = "ring, lapped pen", .lines = 1, .buckets = 1, .ring_entries = ENTRIES,
	 .bound = 3, .flags = NO_LATE, .prepare = fill_ring, .threads = {write_23, record_a_turn},
	 .verify = verify_ring},
	{.name = "ring, lapped pen/read", .lines = 1, .buckets = 1, .ring_entries = ENTRIES,
	 .bound = 2, .flags = NO_LATE, .prepare = fill_ring,
	 .threads = {write_23, record_a_turn, read_all}, .verify = verify_ring},

	{.name = "ring, record/record/read", .lines = 1, .buckets = 1, .ring_entries = ENTRIES,
	 .bound = 2, .prepare = fill_ring, .threads = {record_21, record_22_23, read_all},
	 .verify = verify_no_drop},
	{.name = "ring, record/read", .lines = 1, .buckets = 1, .ring_entries = ENTRIES,
	 .bound = 4, .prepare = fill_ring, .threads = {record_22_23, read_all},
	 .verify = verify_no_drop},
	{.name = "ring, record/record/find", .lines = 1, .buckets = 1, .ring_entries = ENTRIES,
	 .bound = 2, .prepare = fill_ring, .threads = {record_21, record_31, find_15},
	 .verify = verify_no_drop},
	{.name = "ring, lapped writer", .lines = 1, .buckets = 1, .ring_entries = ENTRIES,
	 .bound = 2, .prepare = fill_ring, .threads = {record_21, record_a_turn},
	 .verify = verify_ring},
	{.name = "ring, lapped writer/read", .lines = 1, .buckets = 1, .ring_entries = ENTRIES,
	 .bound = 2, .flags = NO_LATE, .prepare = fill_ring,
	 .threads = {record_21, record_a_turn, read_all},
	 .verify = verify_ring},
	{.name = "ring, record in record", .lines = 1, .buckets = 1, .ring_entries = ENTRIES,
	 .bound = 1, .prepare = fill_ring, .threads = {record_21}, .handlers = {record_a_turn},
	 .verify = verify_ring},
	{.name = "ring, trace/evict", .lines = 2, .buckets = 1, .ring_entries = ENTRIES,
	 .bound = 2, .flags = MAY_DROP | MAY_BREAK, .prepare = fill_ring_and_a,
	 .threads = {record_a, save_x_and_y}, .verify = verify_traces},
	{.name = "ring, trace/turn and evict", .lines = 2, .buckets = 1, .ring_entries = ENTRIES,
	 .bound = 2, .flags = MAY_DROP | MAY_BREAK, .prepare = fill_ring_and_a,
	 .threads = {record_a, turn_and_save_x}, .verify = verify_traces},
	{.name = "ring, old trace/ticks and evict", .lines = 2, .buckets = 1,
	 .ring_entries = ENTRIES, .bound = 3, .flags = MAY_DROP | MAY_BREAK,
	 .prepare = fill_ring_then_turn, .threads = {record_old_a, ticks_and_save_x},
	 .verify = verify_traces},
	{.name = "ring, killed writer", .lines = 1, .buckets = 1, .ring_entries = ENTRIES,
	 .bound = 0, .prepare = fill_ring_and_kill, .threads = {turns_and_a_turn},
	 .verify = verify_all_entries},
	{.name = "ring, late writer", .lines = 1, .buckets = 1, .ring_entries = ENTRIES,
	 .bound = 3, .prepare = fill_ring, .threads = {record_21, skip_and_record_31},
	 .verify = verify_late_writer},
	{.name = "ring, late writer/read", .lines = 1, .buckets = 1, .ring_entries = ENTRIES,
	 .bound = 3, .flags = NO_LATE, .prepare = fill_ring,
	 .threads = {record_21, skip_and_record_31, read_all}, .verify = verify_late_writer},
	{.name = NULL},
};
