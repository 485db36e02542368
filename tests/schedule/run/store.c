/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* store.c - make the tiny store of a scenario, restore it, and look what became of it. */
#include <stdlib.h>
#include <string.h>

#include "process.h" /* before what knows `noinline` as the kernel does */
#include "run.h"
#include "depot.h"
#include "geometry.h"
#include "host.h"

#define RING 16u
#define LEFTS 8u
#define PEAK_STACKS 16u
#define TALLY_SETS 2u
#define HELD_MAX 64u

char *run_memory;
size_t run_bytes;

static const struct run_scenario *scenario;
static struct store_layout layout;
static struct stackdepot depot;
static char *memory_image;
static struct process_image process_image;
static struct explore_program program;

/* --- its making ------------------------------------------------------------------------------- */

static void *store_at(uint64_t offset)
{
	return run_memory + RUN_LOCKS * sizeof(uint64_t) + offset;
}

static struct store_header *store_header(void)
{
	return store_at(0);
}

static struct store_process *store_process(uint32_t slot)
{
	return (struct store_process *)store_at(layout.processes_offset) + slot;
}

static uint64_t layout_place(uint64_t *at, uint64_t nr, size_t bytes)
{
	const uint64_t place = *at;

	*at += (nr * bytes + 63) & ~(uint64_t)63;
	return place;
}

static void layout_make(uint64_t depot_bytes)
{
	uint64_t at = STORE_HEADER_BYTES;

	layout = (struct store_layout){
		.modules = 1,
		.index_slots = 2,
		.buckets = scenario->buckets,
		.slots = scenario->slots,
		.lefts = LEFTS,
		.peak_stacks = PEAK_STACKS,
		.tally_sets = TALLY_SETS,
		.lines = scenario->lines,
		.ring_entries = RING,
		.depot_bytes = depot_bytes,
	};
	layout.processes_offset = layout_place(&at, layout.slots, sizeof(struct store_process));
	layout.parts_offset = layout_place(&at, layout.slots, sizeof(struct store_parts));
	layout.heights_offset = layout_place(&at, layout.slots, sizeof(struct store_height));
	layout.dropped_offset = layout_place(&at, 1, sizeof(struct store_dropped));
	layout.index_offset = layout_place(&at, layout.index_slots, sizeof(uint16_t));
	layout.modules_offset = layout_place(&at, layout.modules, sizeof(struct store_module));
	layout.live_offset = layout_place(&at, layout.buckets, sizeof(struct store_bucket));
	layout.overflow_offset = layout_place(&at, layout.buckets, sizeof(uint8_t));
	layout.larges_offset = layout_place(&at, STORE_LARGES, sizeof(struct store_large));
	layout.lefts_offset = layout_place(&at, layout.lefts, sizeof(struct store_left));
	layout.peak_stacks_offset =
		layout_place(&at, layout.peak_stacks, sizeof(struct store_peak_stack));
	layout.tallies_offset =
		layout_place(&at, layout.tally_sets, sizeof(struct store_tally_set));
	layout.counters_offset =
		layout_place(&at, (uint64_t)layout.lines + 1, sizeof(struct store_counter));
	layout.errors_offset = layout.corpus_offset = at;
	layout.depot_offset = layout_place(&at, depot_bytes, 1);
	run_bytes = RUN_LOCKS * sizeof(uint64_t) + at;
}

void store_attach(struct recorder *to)
{
	to->ready = 1;
	to->head = to->header = store_header();
	to->processes = store_process(0);
	to->buckets = store_at(layout.live_offset);
	to->overflow = store_at(layout.overflow_offset);
	to->larges = store_at(layout.larges_offset);
	to->counters = store_at(layout.counters_offset);
	to->tally_sets = store_at(layout.tallies_offset);
	to->layout = layout;
	to->depot = &depot;
	to->height_step = 1;
	to->options.max_frames = STACKDEPOT_MAX_FRAMES;
	strcpy(to->options.store, "store");
}

void store_reaper(struct reaper *reaper, unsigned int actor)
{
	*reaper = (struct reaper){.header = store_header(),
				  .layout = &layout,
				  .depot = &depot,
				  .fd = STORE_FD(actor),
				  .pid_namespace = 1};
}

static void store_begin(void)
{
	memcpy(run_memory, memory_image, run_bytes);
	stand_in_reset();
	process_image_put(&process_image);
}

static void store_make(void)
{
	const struct stackdepot_options options = {
		.max_bytes = 1 << 20,
		.lines = scenario->lines,
		.buckets = 2,
		.ring_entries = RING,
		.seed = 7,
	};
	struct depot_geometry geometry;

	if (depot_plan(&options, 1, &geometry))
		abort();
	layout_make(geometry.total_bytes);
	free(run_memory);
	free(memory_image);
	run_memory = aligned_alloc(4096, (run_bytes + 4095) & ~(size_t)4095);
	memory_image = malloc(run_bytes);
	if (!run_memory || !memory_image)
		abort();
	memset(run_memory, 0, run_bytes);
	depot_format(store_at(layout.depot_offset), &geometry);
	if (depot_open(&depot, store_at(layout.depot_offset), geometry.total_bytes))
		abort();
	depot.shared = true;
	store_header()->locks_hold = 1;
}

/* --- what is in it ---------------------------------------------------------------------------- */

static uint32_t trace_of_frames(const uintptr_t *frames, int nr)
{
	const uint32_t trace = (uint32_t)((frames[0] - 0x400000u) / 256u);
	uintptr_t expected[TRACE_FRAMES];

	VERIFY(nr == (int)TRACE_FRAMES);
	trace_frames(trace, expected);
	VERIFY(!memcmp(frames, expected, sizeof(expected)));
	return trace;
}

static uint32_t store_trace_ref(stackdepot_ref_t ref)
{
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	int nr = stackdepot_fetch_ref(&depot, ref, frames, STACKDEPOT_MAX_FRAMES);

	return nr > 0 ? trace_of_frames(frames, nr) : 0;
}

uint32_t store_trace(stackdepot_handle_t handle)
{
	return handle ? store_trace_ref(stackdepot_ref(&depot, handle)) : 0;
}

/* All of an event follows from its address, so a mixture of two is recognised. */
struct stackdepot_event ring_event(unsigned int actor, uint32_t number, uint64_t trace,
				   uint32_t kind)
{
	const uint32_t id = 1 + 16 * actor + number;

	return (struct stackdepot_event){
		.address = id,
		.size = 3ull * id,
		.trace = trace,
		.origin = trace,
		.time = 5ull * id,
		.task = 7 * id,
		.kind = (uint16_t)kind,
	};
}

/* How many events are there, each of them whole? */
static uint32_t ring_verify(void)
{
	struct stackdepot_event event, expected;
	uint64_t position = 0;
	uint32_t nr = 0;

	while (stackdepot_ring_next(&depot, &position, &event)) {
		expected = ring_event((unsigned int)(event.address - 1) / 16,
				      (uint32_t)(event.address - 1) % 16, event.trace, event.kind);
		expected.order = event.order;
		VERIFY(!memcmp(&event, &expected, sizeof(event)));
		nr++;
	}
	VERIFY(nr <= RING);
	return nr;
}

/* After as many events as there are places none of those before is in the way. */
static void ring_verify_turn(void)
{
	struct stackdepot_event event;
	uint32_t i;

	(void)ring_verify();
	for (i = 0; i < 2 * RING; i++) {
		event = ring_event(RUN_LAST, i % 15, 0, STACKDEPOT_ALLOC);
		VERIFY(!stackdepot_ring_record(&depot, &event) || i < RING);
	}
	VERIFY(ring_verify() == RING);
}

/* --- what must be true when all are gone, and one has come ------------------------------------ */

struct sums {
	uint64_t objects; /* times 256, that were left, by stack and as the rest */
	uint64_t row_objects;
	uint64_t allocs;
	uint32_t processes, rows;
};

static struct sums sums_get(void)
{
	const struct store_left *lefts = store_at(layout.lefts_offset);
	struct sums sums = {.objects = store_header()->totals.left_objects};
	uint32_t i;

	for (i = 0; i < layout.lefts; i++) {
		sums.objects += lefts[i].objects;
		VERIFY(!lefts[i].objects || lefts[i].trace);
	}
	for (i = 0; i < layout.slots; i++) {
		const struct store_process *row = store_process(i);

		VERIFY(row->stage == STORE_ROW || row->stage == STORE_FREE);
		if (row->stage != STORE_ROW)
			continue;
		sums.rows++;
		sums.processes += row->processes;
		sums.allocs += row->counts.allocs;
		sums.row_objects += row->counts.left_objects;
	}
	return sums;
}

/* What is known, and what may be besides: of an event that the kill came in. */
struct bounds {
	uint32_t objects, objects_more;
	uint32_t allocs, allocs_more;
	uint32_t processes, processes_more;
	bool reaper_killed;
};

static void bounds_add(struct bounds *bounds, const struct run_actor *actor)
{
	uint32_t i;

	for (i = 0; i < RUN_OBJECTS; i++) {
		bounds->objects += actor->objects[i] == RUN_LIVE;
		bounds->objects_more +=
			actor->objects[i] == RUN_COMING || actor->objects[i] == RUN_GOING;
	}
	/* Who is killed as it gives its counts back loses some. */
	if (!actor->ends || actor->ended)
		bounds->allocs += actor->counted;
	bounds->allocs_more += actor->asked;
	bounds->processes += actor->begun;
	bounds->processes_more += actor->begins && !actor->begun && !actor->unrecorded;
	bounds->reaper_killed |= actor->killed_as_reaper;
}

static void sums_verify(void)
{
	const struct sums sums = sums_get();
	struct bounds bounds = {0};
	unsigned int i;

	for (i = 0; i <= RUN_DEAD; i++)
		bounds_add(&bounds, &run_actors[i]);
	VERIFY(sums.objects >= 256ull * bounds.objects);
	VERIFY(sums.objects <= 256ull * (bounds.objects + bounds.objects_more));
	VERIFY(sums.row_objects == sums.objects);
	VERIFY(sums.allocs <= 256ull * bounds.allocs_more);
	VERIFY(bounds.reaper_killed || sums.allocs >= 256ull * bounds.allocs);
	VERIFY(sums.processes >= bounds.processes);
	VERIFY(sums.processes <= bounds.processes + bounds.processes_more);
}

/* An entry that is no longer in anybody's hands says what its process did. */
static void entry_verify(const struct store_entry *entry)
{
	const stackdepot_handle_t handle = (stackdepot_handle_t)entry->value;
	const uint32_t serial = store_process(store_key_slot(entry->key))->serial;
	uint32_t number, actor;
	uint64_t size;

	if (!entry->key || entry->key & (ENTRY_BUSY | ENTRY_HELD))
		return;
	VERIFY(run_object_at(store_key_address(entry->key), &number, &size));
	VERIFY(entry->value >> 32 == size);
	for (actor = 0; actor <= RUN_DEAD && run_actors[actor].serial != serial; actor++)
		;
	VERIFY(actor <= RUN_DEAD || !serial);
	if (actor <= RUN_DEAD)
		VERIFY(store_trace(handle) == run_actors[actor].traces[number]);
}

static void entries_verify(void)
{
	const struct store_entry *entries = store_at(layout.live_offset);
	uint32_t i;

	for (i = 0; i < layout.buckets * STORE_BUCKET_ENTRIES; i++)
		entry_verify(&entries[i]);
}

/* What a process had at its peak is no more than it ever had, and the sum of the list. */
static void peaks_verify(void)
{
	const struct store_height *heights = store_at(layout.heights_offset);
	const struct store_peak_stack *stacks = store_at(layout.peak_stacks_offset);
	uint32_t slot, number;

	for (slot = 0; slot < layout.slots; slot++) {
		const struct store_peak *peak = &heights[slot].peaks[STORE_PEAK_LIFE];
		const struct store_taken *taken = &peak->taken[peak->now & 1];
		uint64_t objects = taken->rest_objects;

		for (number = taken->first; number; number = stacks[number - 1].next)
			objects += stacks[number - 1].objects;
		VERIFY(objects == taken->objects);
		VERIFY(objects <= 256ull * (RUN_OBJECTS - 1));
	}
}

/* Nobody has a place in it. */
static void store_verify_empty(void)
{
	const struct store_header *header = store_header();
	const struct store_entry *entries = store_at(layout.live_offset);
	uint32_t i;

	for (i = 0; i < layout.buckets * STORE_BUCKET_ENTRIES; i++)
		VERIFY(!entries[i].key);
	for (i = 0; i < layout.tally_sets; i++)
		VERIFY(!header->tally_owners[i]);
	VERIFY(!header->totals.live_objects);
	VERIFY(!header->journal.step && !header->folding);
	VERIFY(store_next_open(header, 0, layout.slots) == layout.slots);
}

static u64 line_state(uint32_t number)
{
	return (u64)depot.lines[number].state.counter;
}

static void held_add(uint32_t *held, stackdepot_ref_t trace)
{
	const uint32_t line = (uint32_t)trace;

	if (line && store_trace_ref(trace))
		held[line]++;
}

/* Each reference has a holder: a line's child, or a member of a peak; and no line is in hands. */
static void lines_verify(void)
{
	const struct store_peak_stack *peaks = store_at(layout.peak_stacks_offset);
	uint32_t held[HELD_MAX] = {0}, i;

	for (i = 0; i < layout.peak_stacks; i++)
		if (peaks[i].owner)
			held_add(held, peaks[i].trace);
	for (i = 1; i <= depot.nr_lines; i++)
		if (line_state(i) & STATE_LIVE)
			held[state_parent(line_state(i))]++;
	for (i = 1; i <= depot.nr_lines; i++) {
		VERIFY(line_state(i) || i > depot.header->fresh);
		if (line_state(i) & STATE_LIVE)
			VERIFY(state_references(line_state(i)) == held[i]);
	}
	VERIFY(!stackdepot_check(&depot));
}

/* As many processes as there are slots without a row can begin. */
static void slots_verify(void)
{
	const uint32_t rows = sums_get().rows;
	uint32_t nr;

	for (nr = rows; nr < layout.slots; nr++) {
		run_locks_drop(RUN_LAST);
		run_begin();
		VERIFY(!run_actors[RUN_LAST].unrecorded);
	}
}

static void janitor(bool fold)
{
	struct reaper reaper;

	store_reaper(&reaper, RUN_LAST);
	VERIFY(!reap_begin(&reaper));
	(void)reap_close(&reaper);
	VERIFY(!reap_present(&reaper, 1));
	(void)reap_recount(&reaper);
	while (fold && reap_fold(&reaper))
		;
	reap_end(&reaper);
}

static void store_verify(void)
{
	void (*hook)(const void *word, bool write) = port_test_hook;
	unsigned int actor;

	port_test_hook = NULL;
	for (actor = 0; actor < EXPLORE_THREADS; actor++) {
		if (!run_actors[actor].alive)
			continue;
		run_be(actor);
		run_verify_own();
		run_end();
	}
	run_be(RUN_LAST);
	janitor(false);
	entries_verify();
	janitor(true);
	peaks_verify();
	store_verify_empty();
	sums_verify();
	lines_verify();
	ring_verify_turn();
	slots_verify();
	port_test_hook = hook;
}

/* --- exploring -------------------------------------------------------------------------------- */

static void store_killed(unsigned int actor)
{
	run_actors[actor].killed_as_reaper = run_locks_reaps(actor);
	run_is_killed();
}

static void program_make(void)
{
	program = (struct explore_program){
		.name = scenario->name,
		.begin = store_begin,
		.end = store_verify,
		.words = run_memory,
		.bytes = run_bytes,
		.ignored = depot.header->counters,
		.ignored_bytes = sizeof(depot.header->counters),
		.mortal = scenario->mortal,
		.kills = scenario->kills,
		.killed = store_killed,
		.goes_on = run_be,
	};
	memcpy(program.threads, scenario->threads, sizeof(program.threads));
	while (program.nr_threads < EXPLORE_THREADS && program.threads[program.nr_threads])
		program.nr_threads++;
}

void run_make(const struct run_scenario *made)
{
	scenario = made;
	memset(run_actors, 0, sizeof(run_actors));
	store_make();
	stand_in_reset();
	run_be(0);
	if (scenario->prepare)
		scenario->prepare();
	memcpy(memory_image, run_memory, run_bytes);
	process_image_get(&process_image);
	program_make();
}

unsigned long run_explore(const struct run_scenario *explored, unsigned int bound)
{
	run_make(explored);
	return explore(&program, bound, false);
}
