/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The ring of the last events, pens to write it, and the clock it drives. */
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
		.origin = i & 1 ? trace : 0,
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
	CORE_EQ(event->origin, made.origin);
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
			CORE_EQ(events[k].origin, (i - k) & 1 ? events[k].trace : 0);
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

/* Recording renews the leases: the traces may have been saved long ago. */
static void recording_renews_the_lease(core_test *test)
{
	struct stackdepot *depot = ring_depot(test, 16, 20);
	stackdepot_ref_t ref = stackdepot_ref(depot, core_save1(depot, 1, 0));
	stackdepot_ref_t origin = stackdepot_ref(depot, core_save1(depot, 2, 0));
	struct stackdepot_event event = ring_event(0, ref);
	struct stackdepot_trace_info info;
	unsigned int i;

	for (i = 0; i < 500; i++) {
		CORE_NE(core_save1(depot, 100 + i, 0), 0);
		event.trace = i % 12 ? 0 : ref;
		event.origin = i % 12 ? 0 : origin;
		CORE_EQ(stackdepot_ring_record(depot, &event), 0);
		CORE_EQ(stackdepot_info(depot, ref, &info), 0);
		CORE_TRUE(info.leased);
		CORE_EQ(stackdepot_info(depot, origin, &info), 0);
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
	event.origin = 78;
	CORE_EQ(stackdepot_ring_record(depot, &event), 0);
	CORE_EQ(core_stats(depot).ring_stale, 4);
	core_finish(test, depot);
}

/* --- pens ------------------------------------------------------------------------------------- */

#define PEN_RING 1024u
#define PEN_MOST 16u /* positions */

static void ring_write(core_test *test, struct stackdepot *depot, struct stackdepot_pen *pen,
		       uint64_t i)
{
	const struct stackdepot_event event = ring_event(i, 0);

	CORE_EQ(stackdepot_ring_write(depot, pen, &event), 0);
}

static void ring_record(core_test *test, struct stackdepot *depot, uint64_t first, uint64_t nr)
{
	uint64_t i;

	for (i = first; i < first + nr; i++) {
		const struct stackdepot_event event = ring_event(i, 0);

		CORE_EQ(stackdepot_ring_record(depot, &event), 0);
	}
}

/* stackdepot_ring_find() has these, newest first, and nothing else. */
static void ring_expect_found(core_test *test, struct stackdepot *depot, uint64_t newest,
			      uint64_t oldest)
{
	struct stackdepot_event event = {.order = ~0ull};
	uint64_t i, order, position = 0;

	for (i = newest + 1; i-- > oldest;) {
		order = event.order;
		CORE_EQ(stackdepot_ring_find(depot, &position, 0, 0, &event), 1);
		ring_expect(test, &event, i);
		CORE_TRUE(event.order <= order);
	}
	CORE_EQ(stackdepot_ring_find(depot, &position, 0, 0, &event), 0);
	CORE_EQ(stackdepot_ring_find(depot, &position, 0, 0, &event), 0);
}

/* The number of the event that has the newest position. */
static uint64_t ring_newest(core_test *test, struct stackdepot *depot)
{
	struct stackdepot_event event;
	uint64_t position = 0;

	CORE_EQ(stackdepot_ring_next(depot, &position, &event), 1);
	return event.time;
}

/* A pen takes more at once as it is used, up to a limit, and no event is lost on the way. */
static void a_pen_takes_more_at_once(core_test *test)
{
	struct stackdepot *depot = ring_depot(test, PEN_RING, 10);
	struct stackdepot_pen pen = {0};
	uint64_t i, most = 0;

	for (i = 0; i < 300; i++) {
		uint64_t taken;

		ring_write(test, depot, &pen, i);
		taken = core_stats(depot).ring_events - (i + 1);
		CORE_TRUE(taken < PEN_MOST);
		most = taken > most ? taken : most;
	}
	CORE_EQ(most, PEN_MOST - 1);
	ring_expect_found(test, depot, 299, 0);
	CORE_EQ(core_stats(depot).ring_dropped, 0);
	core_finish(test, depot);
}

/* Of the smallest ring it never takes more than one. */
static void a_pen_is_small_in_a_small_ring(core_test *test)
{
	struct stackdepot *depot = ring_depot(test, 16, 10);
	struct stackdepot_pen pen = {0};
	uint64_t i;

	for (i = 0; i < 100; i++) {
		ring_write(test, depot, &pen, i);
		CORE_EQ(core_stats(depot).ring_events, i + 1);
		ring_expect_found(test, depot, i, i < 15 ? 0 : i - 15);
	}
	CORE_EQ(core_stats(depot).ring_dropped, 0);
	core_finish(test, depot);
}

static void events_are_exact_after_the_end_of_pens(core_test *test)
{
	struct stackdepot *depot = ring_depot(test, PEN_RING, 10);
	struct stackdepot_pen pens[3] = {{0}};
	uint64_t i, k;

	for (i = 0; i < 500; i++) {
		if (i % 4 == 3)
			ring_record(test, depot, i, 1);
		else
			ring_write(test, depot, &pens[i % 4], i);
		if (i % 50)
			continue;
		for (k = 0; k < 3; k++) {
			stackdepot_ring_end(depot, &pens[k]);
			stackdepot_ring_end(depot, &pens[k]);
		}
		CORE_EQ(core_stats(depot).ring_events, i + 1);
	}
	core_finish(test, depot);
}

/* Who did it, of two pens and those without: a fixed mixture, in runs of up to 20. */
static unsigned int ring_writer(uint64_t i)
{
	uint64_t x = i / (1 + i / 100 * 3) * 0x9e3779b97f4a7c15ull;

	return (unsigned int)((x ^ x >> 29) * 0xbf58476d1ce4e5b9ull >> 40) % 3;
}

/*
 * Found in the order in which they happened, but for those of two pens between which nobody took
 * positions: their order says that it is not known.
 */
static void find_goes_by_what_happened_first(core_test *test)
{
	static struct stackdepot_event found[PEN_RING];
	struct stackdepot *depot = ring_depot(test, PEN_RING, 10);
	struct stackdepot_pen pens[2] = {{0}};
	struct stackdepot_event event;
	uint64_t position = 0, i;
	unsigned int nr = 0, k, swapped = 0;

	for (i = 0; i < 600; i++) {
		if (ring_writer(i) == 2)
			ring_record(test, depot, i, 1);
		else
			ring_write(test, depot, &pens[ring_writer(i)], i);
	}
	while (nr < PEN_RING && stackdepot_ring_find(depot, &position, 0, 0, &event))
		found[nr++] = event;
	CORE_EQ(nr, 600);
	for (k = 0; k < nr; k++) {
		ring_expect(test, &found[k], found[k].time);
		for (i = 0; i < k; i++) {
			const uint64_t newer = found[i].time, older = found[k].time;

			CORE_TRUE(found[i].order >= found[k].order);
			if (newer > older)
				continue;
			swapped++;
			CORE_EQ(found[i].order, found[k].order);
			CORE_NE(ring_writer(newer), ring_writer(older));
			CORE_TRUE(ring_writer(newer) != 2 && ring_writer(older) != 2);
		}
	}
	CORE_NE(swapped, 0);
	core_finish(test, depot);
}

/* Where others came far, it does not write among events that are old by now. */
static void a_pen_is_let_go_when_others_came_far(core_test *test)
{
	struct stackdepot *depot = ring_depot(test, PEN_RING, 10);
	struct stackdepot_pen pen = {0};
	uint64_t i;

	for (i = 0; i < 2; i++)
		ring_write(test, depot, &pen, i);
	CORE_EQ(core_stats(depot).ring_events, 3);
	ring_record(test, depot, 2, PEN_RING / 4 + 1);
	i = 2 + PEN_RING / 4 + 1;
	ring_write(test, depot, &pen, i);
	CORE_EQ(ring_newest(test, depot), i);
	CORE_EQ(core_stats(depot).ring_events, i + 1);
	/* And takes one only, as it does not write often. */
	ring_record(test, depot, i + 1, 10 * PEN_RING);
	i += 1 + 10 * PEN_RING;
	ring_write(test, depot, &pen, i);
	CORE_EQ(ring_newest(test, depot), i);
	CORE_EQ(core_stats(depot).ring_events, i + 1);
	CORE_EQ(core_stats(depot).ring_dropped, 0);
	core_finish(test, depot);
}

/* What a pen took and did not fill has the event of a turn ago in it. */
static void what_a_turn_overwrote_is_not_believed(core_test *test)
{
	struct stackdepot *depot = ring_depot(test, 256, 10);
	struct stackdepot_pen pen = {0};
	struct stackdepot_event event;
	uint64_t position = 0, unfilled, nr = 0;

	for (unfilled = 0; unfilled < 100; unfilled++)
		ring_write(test, depot, &pen, unfilled);
	ring_expect_found(test, depot, 99, 0);
	ring_record(test, depot, 100, 300);
	ring_expect_found(test, depot, 399, 400 - 256);
	stackdepot_ring_end(depot, &pen);
	CORE_EQ(core_stats(depot).ring_events, 400);
	ring_write(test, depot, &pen, 400);
	ring_write(test, depot, &pen, 401);
	unfilled = core_stats(depot).ring_events - 402;
	CORE_NE(unfilled, 0);
	ring_expect_found(test, depot, 401, 402 + unfilled - 256);
	while (stackdepot_ring_next(depot, &position, &event)) {
		CORE_EQ(event.time, 401 - nr);
		nr++;
	}
	CORE_EQ(nr, 256 - unfilled);
	core_finish(test, depot);
}

/* The traces of an event have today's stamp, whenever the clock moved since they were saved. */
static void pens_renew_the_lease(core_test *test)
{
	struct stackdepot *depot = ring_depot(test, 64, 100);
	struct stackdepot_pen pen = {0};
	stackdepot_ref_t refs[400];
	struct stackdepot_trace_info info;
	uint64_t i, k;

	for (i = 0; i < 400; i++) {
		struct stackdepot_event event = ring_event(i, 0);

		refs[i] = stackdepot_ref(depot, core_save1(depot, 100 + i, 0));
		CORE_NE(refs[i], 0);
		event.trace = i & 1 ? refs[i] : 0;
		event.origin = i & 1 ? 0 : refs[i];
		/* Others turn the clock between the save and the event. */
		if (i % 7 == 0)
			ring_record(test, depot, i, 9);
		CORE_EQ(stackdepot_ring_write(depot, &pen, &event), 0);
		for (k = i < 24 ? 0 : i - 24; k <= i; k++) {
			CORE_EQ(stackdepot_info(depot, refs[k], &info), 0);
			CORE_TRUE(info.leased);
		}
	}
	CORE_EQ(core_stats(depot).ring_stale, 0);
	CORE_EQ(core_stats(depot).leases_broken, 0);
	core_finish(test, depot);
}

static void a_pen_says_why_not(core_test *test)
{
	struct stackdepot *depot = core_depot(test, 10, 0, 0);
	struct stackdepot_event event = ring_event(1, 0);
	struct stackdepot_pen pen = {0};

	CORE_EQ(stackdepot_ring_write(depot, &pen, &event), -ENOENT);
	stackdepot_ring_end(depot, &pen);
	CORE_EQ(core_stats(depot).ring_events, 0);
	core_finish(test, depot);
	depot = ring_depot(test, 16, 2);
	event.trace = 77; /* no line of this depot */
	event.origin = 78;
	ring_record(test, depot, 1, 2);
	CORE_EQ(stackdepot_ring_write(depot, &pen, &event), 0);
	CORE_EQ(core_stats(depot).ring_stale, 2);
	core_finish(test, depot);
}

CORE_SUITE(ring, CORE_CASE(the_last_events_come_newest_first),
	   CORE_CASE(find_looks_at_the_masked_bits), CORE_CASE(snapshot_copies_the_newest),
	   CORE_CASE(sizes_are_rounded_up), CORE_CASE(without_a_ring_there_is_none),
	   CORE_CASE(the_ring_drives_the_clock), CORE_CASE(what_the_ring_refers_to_is_there),
	   CORE_CASE(a_depot_too_small_for_its_ring_says_so),
	   CORE_CASE(recording_renews_the_lease),
	   CORE_CASE(an_event_whose_trace_is_gone_is_counted),
	   CORE_CASE(a_pen_takes_more_at_once), CORE_CASE(a_pen_is_small_in_a_small_ring),
	   CORE_CASE(events_are_exact_after_the_end_of_pens),
	   CORE_CASE(find_goes_by_what_happened_first),
	   CORE_CASE(a_pen_is_let_go_when_others_came_far),
	   CORE_CASE(what_a_turn_overwrote_is_not_believed), CORE_CASE(pens_renew_the_lease),
	   CORE_CASE(a_pen_says_why_not));
