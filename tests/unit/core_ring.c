/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The ring of the last events, and the clock it drives. */
#include "core_test.h"

static struct stackdepot *ring_depot(core_test *test, unsigned int entries, unsigned int lines)
{
	struct stackdepot_options options = {.ring_entries = entries, .lines = lines, .seed = 1};
	struct stackdepot *depot = NULL;

	options.max_bytes = stackdepot_bytes_for(lines, &options);
	CORE_EQ(stackdepot_create(&options, &depot), 0);
	return depot;
}

/* The i-th event: every field says which. */
static struct stackdepot_event ring_event(uint64_t i, stackdepot_ref_t trace)
{
	return (struct stackdepot_event){
		.address = (i % 16) << 56 | (0x1000 + i % 50 * 16),
		.size = i * 3,
		.trace = trace,
		.time = i,
		.task = (uint32_t)i * 7,
		.kind = i & 1 ? STACKDEPOT_FREE : STACKDEPOT_ALLOC,
	};
}

static void ring_expect(core_test *test, const struct stackdepot_event *event, uint64_t i)
{
	struct stackdepot_event made = ring_event(i, event->trace);

	CORE_EQ(event->address, made.address);
	CORE_EQ(event->size, made.size);
	CORE_EQ(event->time, made.time);
	CORE_EQ(event->task, made.task);
	CORE_EQ(event->kind, made.kind);
}

static void the_last_events_come_newest_first(core_test *test)
{
	struct stackdepot *depot = ring_depot(test, 16, 10);
	struct stackdepot_event event;
	uint64_t i, position;

	position = 0;
	CORE_EQ(stackdepot_ring_next(depot, &position, &event), 0);
	for (i = 0; i < 100; i++) {
		uint64_t oldest = i < 15 ? 0 : i - 15, k;

		event = ring_event(i, 0);
		CORE_EQ(stackdepot_ring_record(depot, &event), 0);
		position = 0;
		for (k = i + 1; k-- > oldest;) {
			CORE_EQ(stackdepot_ring_next(depot, &position, &event), 1);
			ring_expect(test, &event, k);
		}
		event.time = 12345;
		CORE_EQ(stackdepot_ring_next(depot, &position, &event), 0);
		CORE_EQ(stackdepot_ring_next(depot, &position, &event), 0);
		CORE_EQ(event.time, 12345);
	}
	CORE_EQ(core_stats(depot).ring_events, 100);
	CORE_EQ(core_stats(depot).ring_dropped, 0);
	core_finish(test, depot);
}

static void find_looks_at_the_masked_bits(core_test *test)
{
	struct stackdepot *depot = ring_depot(test, 64, 10);
	struct stackdepot_event event;
	uint64_t i, k, position;

	for (i = 0; i < 200; i++) {
		event = ring_event(i, 0);
		CORE_EQ(stackdepot_ring_record(depot, &event), 0);
	}
	for (i = 0; i < 200; i++) {
		uint64_t address = ring_event(i, 0).address;
		static const uint64_t masks[] = {~0ull, (1ull << 56) - 1, 0xffull << 56, 0};
		unsigned int m;

		for (m = 0; m < CORE_COUNT(masks); m++) {
			position = 0;
			for (k = 200; k-- > 200 - 64;) {
				if ((ring_event(k, 0).address ^ address) & masks[m])
					continue;
				CORE_EQ(stackdepot_ring_find(depot, &position, address, masks[m],
							     &event),
					1);
				ring_expect(test, &event, k);
			}
			CORE_EQ(stackdepot_ring_find(depot, &position, address, masks[m], &event),
				0);
		}
	}
	core_finish(test, depot);
}

static void snapshot_copies_the_newest(core_test *test)
{
	static struct stackdepot_event events[40];
	struct stackdepot *depot = ring_depot(test, 20, 10); /* rounded up to 32 */
	struct stackdepot_event event;
	unsigned int i, size, nr;

	CORE_EQ(stackdepot_ring_snapshot(depot, events, 40), 0);
	for (i = 0; i < 70; i++) {
		unsigned int whole = i + 1 < 32 ? i + 1 : 32;

		event = ring_event(i, 0);
		CORE_EQ(stackdepot_ring_record(depot, &event), 0);
		for (size = 0; size <= 40; size += 5) {
			nr = stackdepot_ring_snapshot(depot, events, size);
			CORE_EQ(nr, size < whole ? size : whole);
			while (nr--)
				ring_expect(test, &events[nr], i - nr);
		}
	}
	core_finish(test, depot);
}

static void sizes_are_rounded_up(core_test *test)
{
	static const unsigned int sizes[][2] = {{1, 16}, {16, 16}, {17, 32}, {100, 128}};
	unsigned int i;

	for (i = 0; i < CORE_COUNT(sizes); i++) {
		struct stackdepot *depot = ring_depot(test, sizes[i][0], 10);

		CORE_EQ(core_stats(depot).ring_bytes, 64 * sizes[i][1]);
		core_finish(test, depot);
	}
}

static void without_a_ring_there_is_none(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	struct stackdepot_event event = ring_event(1, 0);
	uint64_t position = 0;

	CORE_EQ(stackdepot_ring_record(depot, &event), -ENOENT);
	CORE_EQ(stackdepot_ring_next(depot, &position, &event), 0);
	CORE_EQ(stackdepot_ring_snapshot(depot, &event, 1), 0);
	CORE_EQ(core_stats(depot).ring_bytes, 0);
	core_finish(test, depot);
}

/* One turn of the ring is STACKDEPOT_RING_LEASE_TICKS ticks, and only the ring makes them. */
static void the_ring_drives_the_clock(core_test *test)
{
	struct stackdepot *depot = ring_depot(test, 64, 10);
	struct stackdepot_event event = ring_event(0, 0);
	unsigned int i;

	CORE_EQ(stackdepot_tick(depot), -EBUSY);
	for (i = 0; i < 1000; i++) {
		CORE_EQ(stackdepot_ring_record(depot, &event), 0);
		CORE_EQ(stackdepot_now(depot), i / (64 / STACKDEPOT_RING_LEASE_TICKS));
	}
	core_finish(test, depot);
}

/* Turn the ring over and over with a new trace each time; returns the first lease broken, or 0. */
static unsigned int ring_turn(core_test *test, struct stackdepot *depot, unsigned int entries)
{
	static struct stackdepot_event events[64];
	struct stackdepot_event event;
	unsigned int i, k;

	for (i = 1; i < entries * 20; i++) {
		uintptr_t frame = i;

		event = ring_event(
			i, stackdepot_ref(depot, core_save1(depot, i, 0)));
		CORE_EQ(stackdepot_ring_record(depot, &event), 0);
		if (core_stats(depot).leases_broken)
			return i;
		CORE_EQ(stackdepot_ring_snapshot(depot, events, 64), i < entries ? i : entries);
		for (k = 0; k < entries && k < i; k++) {
			CORE_EQ(stackdepot_fetch_ref(depot, events[k].trace, &frame, 1), 1);
			CORE_EQ(frame, i - k);
		}
	}
	return 0;
}

/*
 * What the ring refers to can be fetched as long as the depot has room for it: a turn and the tick
 * that a lease is longer than it must be.
 */
static void what_the_ring_refers_to_is_there(core_test *test)
{
	unsigned int enough = 64 + 2 * 64 / STACKDEPOT_RING_LEASE_TICKS + 1;
	struct stackdepot *depot = ring_depot(test, 64, enough);

	CORE_EQ(ring_turn(test, depot, 64), 0);
	CORE_TRUE(core_stats(depot).evictions > 0);
	CORE_EQ(core_stats(depot).ring_stale, 0);
	core_finish(test, depot);
}

static void a_depot_too_small_for_its_ring_says_so(core_test *test)
{
	struct stackdepot *depot = ring_depot(test, 64, 40);

	CORE_EQ(ring_turn(test, depot, 64), 41);
	core_finish(test, depot);
}

/* Recording renews the lease: the trace may have been saved long ago. */
static void recording_renews_the_lease(core_test *test)
{
	struct stackdepot *depot = ring_depot(test, 16, 20);
	stackdepot_ref_t ref = stackdepot_ref(depot, core_save1(depot, 1, 0));
	struct stackdepot_event event = ring_event(0, ref);
	struct stackdepot_trace_info info;
	unsigned int i;

	for (i = 0; i < 500; i++) {
		CORE_NE(core_save1(depot, 100 + i, 0), 0);
		event.trace = i % 12 ? 0 : ref;
		CORE_EQ(stackdepot_ring_record(depot, &event), 0);
		CORE_EQ(stackdepot_info(depot, ref, &info), 0);
		CORE_TRUE(info.leased);
	}
	CORE_EQ(core_stats(depot).ring_stale, 0);
	core_finish(test, depot);
}

static void an_event_whose_trace_is_gone_is_counted(core_test *test)
{
	struct stackdepot *depot = ring_depot(test, 16, 2);
	stackdepot_ref_t ref = stackdepot_ref(depot, core_save1(depot, 1, 0));
	struct stackdepot_event event = ring_event(0, ref);
	unsigned int i;

	for (i = 0; i < 5; i++)
		CORE_NE(core_save1(depot, 100 + i, 0), 0);
	CORE_EQ(stackdepot_ring_record(depot, &event), 0);
	CORE_EQ(core_stats(depot).ring_stale, 1);
	event.trace = 77; /* no line of this depot */
	CORE_EQ(stackdepot_ring_record(depot, &event), 0);
	CORE_EQ(core_stats(depot).ring_stale, 2);
	core_finish(test, depot);
}

CORE_SUITE(ring, CORE_CASE(the_last_events_come_newest_first),
	   CORE_CASE(find_looks_at_the_masked_bits), CORE_CASE(snapshot_copies_the_newest),
	   CORE_CASE(sizes_are_rounded_up), CORE_CASE(without_a_ring_there_is_none),
	   CORE_CASE(the_ring_drives_the_clock), CORE_CASE(what_the_ring_refers_to_is_there),
	   CORE_CASE(a_depot_too_small_for_its_ring_says_so),
	   CORE_CASE(recording_renews_the_lease),
	   CORE_CASE(an_event_whose_trace_is_gone_is_counted));
