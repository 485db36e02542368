/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* world.c - prepare, restore, act on and verify the depot of a scenario. */
#include <stdlib.h>

#include "find.h"
#include "geometry.h"
#include "walk.h"
#include "world.h"

struct world world;
struct stackdepot world_depot;

static const struct scenario *scenario;
static struct world world_image;
static void *memory, *memory_image;
static u64 memory_bytes;
static struct explore_program program;

/* As the explorer does not see it. */
static u64 line_state(u32 number)
{
	return (u64)world_depot.lines[number].state.counter;
}

/* The frames that a parent has of its own. */
static u32 world_group(u32 parent, uintptr_t *frames)
{
	u32 i;

	for (i = 0; i < DEPOT_GROUP; i++)
		frames[i] = 0x7f0000000000 | (i < DEPOT_GROUP - 2 ? 0 : parent << 8) | i;
	return DEPOT_GROUP;
}

u32 world_frames(struct world_trace trace, uintptr_t frames[WORLD_FRAMES])
{
	const uintptr_t high = trace.leaf >= WIDE ? 0xabcdull << 48 : 0;
	u32 i, nr = 0, inner = trace.leaf >= WIDE ? 6 : 2;

	for (i = 0; trace.leaf && i < inner; i++)
		frames[nr++] = high | 0x400000 | trace.leaf << 8 | i;
	if (trace.parent)
		nr += world_group(trace.parent, frames + nr);
	if (trace.parent >= DEEP)
		nr += world_group(OUTER.parent, frames + nr);
	return nr;
}

static u32 world_bucket(struct world_trace trace)
{
	uintptr_t frames[WORLD_FRAMES], pad[DEPOT_GROUP];
	u32 nr = world_frames(trace, frames);

	const u64 hash = depot_hash_trace(&world_depot, frames, nr, hash_pad(frames, nr, pad));

	return index_bucket(&world_depot, hash, (u32)hash & world_depot.max_digits);
}

u32 world_leaf_in(u32 bucket, u32 leaf)
{
	while (world_bucket(FLAT(leaf)) != bucket)
		leaf++;
	return leaf;
}

static void world_note(u32 slot, struct world_trace trace, unsigned int flags, u64 ref, u64 tick)
{
	world.drops += !ref;
	if (slot >= world.nr_slots)
		world.nr_slots = slot + 1;
	world.slots[slot] = (struct world_slot){
		.trace = trace,
		.ref = ref,
		.references = ref && flags & STACKDEPOT_GET,
		.kept = ref && flags & STACKDEPOT_KEEP,
		.leased = ref && !(flags & (STACKDEPOT_GET | STACKDEPOT_KEEP)),
		.tick = tick,
	};
}

/* A handle in a tiny depot has all bits of the generation that ever count. */
static u64 world_ref(stackdepot_handle_t handle)
{
	const stackdepot_handle_t number = (1u << world_depot.line_bits) - 1;

	return handle ? (u64)(handle >> world_depot.line_bits) << 32 | (handle & number) : 0;
}

void world_save(u32 slot, struct world_trace trace, unsigned int flags)
{
	uintptr_t frames[WORLD_FRAMES];
	u32 nr = world_frames(trace, frames);
	u64 tick = stackdepot_now(&world_depot);

	world_note(slot, trace, flags, world_ref(stackdepot_save(&world_depot, frames, nr, flags)),
		   tick);
}

void world_save_cursor(u32 slot, struct world_trace trace, unsigned int flags, u32 unchanged)
{
	uintptr_t frames[WORLD_FRAMES];
	u32 nr = world_frames(trace, frames);
	u64 tick = stackdepot_now(&world_depot);
	stackdepot_handle_t handle =
		stackdepot_save_cursor(&world_depot, frames, nr, flags, &world.cursor, unchanged);

	world_note(slot, trace, flags, world_ref(handle), tick);
}

void world_save_again(u32 slot, u32 other, unsigned int flags)
{
	const u64 ref = world.slots[other].ref, tick = stackdepot_now(&world_depot);
	const u64 found = world_ref(stackdepot_save_again(&world_depot, ref, flags));

	VERIFY(!found || found == ref);
	VERIFY(found || !world.slots[other].references);
	/* Not there any more: nothing that a save would count as refused. */
	if (found)
		world_note(slot, world.slots[other].trace, flags, found, tick);
}

void world_get_bulk(u32 slot, u32 nr)
{
	VERIFY(world.slots[slot].references);
	stackdepot_get_bulk(&world_depot, world.slots[slot].ref, nr);
	world.slots[slot].references += nr;
}

void world_put_bulk(u32 slot, u32 nr)
{
	VERIFY(world.slots[slot].references >= nr);
	world.slots[slot].references -= nr;
	stackdepot_put_bulk(&world_depot, world.slots[slot].ref, nr);
}

void world_put(u32 slot)
{
	VERIFY(world.slots[slot].references);
	world.slots[slot].references--;
	VERIFY(!stackdepot_put(&world_depot,
			       stackdepot_handle(&world_depot, world.slots[slot].ref)));
}

static bool world_got(u32 slot, int error)
{
	VERIFY(!error || (error == -ESTALE && !world.slots[slot].references));
	world.slots[slot].references += !error;
	return !error;
}

bool world_get(u32 slot)
{
	return world_got(slot, stackdepot_get_ref(&world_depot, world.slots[slot].ref));
}

bool world_get_handle(u32 slot)
{
	u64 ref = world.slots[slot].ref;

	return world_got(slot, stackdepot_get(&world_depot, stackdepot_handle(&world_depot, ref)));
}

/* Must a slot's trace be there? */
static bool slot_is_held(const struct world_slot *slot)
{
	return slot->references || slot->kept;
}

static bool slot_fetch(const struct world_slot *slot, bool held)
{
	uintptr_t expected[WORLD_FRAMES], frames[WORLD_FRAMES];
	int nr = stackdepot_fetch_ref(&world_depot, slot->ref, frames, WORLD_FRAMES);

	if (nr < 0) {
		VERIFY(nr == -ESTALE);
		VERIFY(!held);
		return false;
	}
	VERIFY((u32)nr == world_frames(slot->trace, expected));
	VERIFY(!memcmp(frames, expected, (u32)nr * sizeof(*frames)));
	return true;
}

void world_fetch(u32 number)
{
	const bool held = slot_is_held(&world.slots[number]);

	(void)slot_fetch(&world.slots[number], held);
}

bool world_alive(u32 slot)
{
	return world.slots[slot].ref && slot_fetch(&world.slots[slot], false);
}

/* Could any line be taken at this moment? Looks without being seen by the explorer. */
static bool world_has_room(void)
{
	u32 i;

	for (i = 1; i <= world_depot.nr_lines; i++) {
		u64 state = line_state(i);

		if (state == STATE_FREE || (state & STATE_LIVE && !state_pinned(state)))
			return true;
	}
	return world_depot.header->fresh < world_depot.nr_lines;
}

void world_save_for_sure(u32 slot, struct world_trace trace, unsigned int flags)
{
	const bool room = world_has_room();

	world_save(slot, trace, flags);
	VERIFY(!room || world.slots[slot].ref);
}

/* Frame by frame as fetched whole; or the trace was evicted while it was walked. */
u64 world_walk(u32 slot)
{
	uintptr_t expected[WORLD_FRAMES], frames[DEPOT_GROUP];
	u32 nr = world_frames(world.slots[slot].trace, expected), done = 0;
	struct depot_walk walk;
	int run = depot_walk_begin(&world_depot, world.slots[slot].ref, &walk);

	if (!run)
		while ((run = depot_walk_next(&world_depot, &walk, frames)) > 0) {
			VERIFY(done + (u32)run <= nr);
			VERIFY(!memcmp(frames, expected + done, (u32)run * sizeof(*frames)));
			done += (u32)run;
		}
	VERIFY(run == -ESTALE || (!run && done == nr));
	return run ? 0 : walk.run;
}

u64 world_counter(enum depot_counter counter)
{
	return (u64)world_depot.header->counters[counter].counter;
}

static bool same_trace(struct world_trace a, struct world_trace b)
{
	return a.parent == b.parent && a.leaf == b.leaf;
}

/* Equal traces that are there have one reference, different ones two. */
static void verify_exact(void)
{
	u32 a, b;

	for (a = 0; a < world.nr_slots; a++)
		for (b = 0; world.slots[a].ref && b < a; b++)
			if (world_alive(a) && world_alive(b))
				VERIFY(same_trace(world.slots[a].trace, world.slots[b].trace) ==
				       (world.slots[a].ref == world.slots[b].ref));
}

/* A leased trace outlives its saver by its lease, if no lease was broken. */
static void verify_leases(void)
{
	const u64 now = (u64)world_depot.header->tick.counter;
	u32 i;

	if (!(scenario->flags & MAY_BREAK))
		VERIFY(!world_counter(COUNT_LEASES_BROKEN));
	if (!scenario->lease_ticks || world_counter(COUNT_LEASES_BROKEN))
		return;
	for (i = 0; i < world.nr_slots; i++)
		if (world.slots[i].leased && now - world.slots[i].tick <= scenario->lease_ticks)
			VERIFY(world_alive(i));
}

/* A stamp is no older than the save that left it: nobody may put an older one in its place. */
static void verify_stamps(void)
{
	u32 i;

	for (i = 0; i < world.nr_slots; i++) {
		const struct world_slot *slot = &world.slots[i];

		if (slot->leased && world_alive(i))
			VERIFY(state_age((slot->tick & 0xff) << STATE_STAMP_SHIFT,
					 line_state((u32)slot->ref) & STATE_STAMP) < 128);
	}
}

/* Every reference that was taken in passing has been given back. */
static void verify_references(void)
{
	u32 expected[WORLD_MAX_LINES + 1] = {0}, i;

	for (i = 0; i < world.nr_slots; i++)
		expected[(u32)world.slots[i].ref] += world.slots[i].references;
	for (i = 1; i <= world_depot.nr_lines; i++)
		if (line_state(i) & STATE_LIVE)
			expected[state_parent(line_state(i))]++;
	for (i = 1; i <= world_depot.nr_lines; i++)
		if (line_state(i) & STATE_LIVE)
			VERIFY(state_references(line_state(i)) == expected[i]);
}

static u32 lines_pinned(void)
{
	u32 i, nr = 0;

	for (i = 1; i <= world_depot.nr_lines; i++)
		nr += line_state(i) & STATE_LIVE && state_pinned(line_state(i));
	return nr;
}

/* Lines that are kept, or are parents of such. */
static u32 lines_kept(void)
{
	bool kept[WORLD_MAX_LINES + 1] = {false};
	u32 i, number, nr = 0;

	for (i = 1; i <= world_depot.nr_lines; i++) {
		u64 state = line_state(i);

		if (!(state & STATE_LIVE && state & STATE_KEPT))
			continue;
		for (number = i; number; number = state_parent(line_state(number))) {
			nr += !kept[number];
			kept[number] = true;
		}
	}
	return nr;
}

/* How many lines of fresh traces can be held? */
static u32 lines_available(void)
{
	uintptr_t frames[WORLD_FRAMES];
	u32 nr = 0, i;

	for (i = 0; i <= world_depot.nr_lines; i++) {
		u32 frame_nr = world_frames(FLAT(500 + i), frames);

		nr += !!stackdepot_save(&world_depot, frames, frame_nr, STACKDEPOT_GET);
	}
	return nr;
}

/* All that is held is let go: then everything but kept traces can be replaced. */
static void verify_no_line_lost(void)
{
	u32 i, kept;

	for (i = 0; i < world.nr_slots; i++)
		while (world.slots[i].references)
			world_put(i);
	VERIFY(!stackdepot_check(&world_depot));
	kept = lines_kept();
	VERIFY(lines_available() == world_depot.nr_lines - kept);
	VERIFY(lines_pinned() == world_depot.nr_lines);
	VERIFY(!stackdepot_check(&world_depot));
}

static void world_verify(void)
{
	u32 i;

	for (i = 0; i < world.nr_slots; i++)
		if (world.slots[i].ref)
			(void)slot_fetch(&world.slots[i], slot_is_held(&world.slots[i]));
	VERIFY(!stackdepot_check(&world_depot));
	VERIFY(world.drops == world_counter(COUNT_DROPS_PINNED) +
				      world_counter(COUNT_DROPS_NO_EVICT) +
				      world_counter(COUNT_DROPS_NO_MEMORY));
	if (!(scenario->flags & MAY_DROP))
		VERIFY(!world.drops);
	verify_exact();
	verify_leases();
	verify_stamps();
	verify_references();
	if (scenario->verify)
		scenario->verify();
	verify_no_line_lost();
}

static void world_begin(void)
{
	memcpy(memory, memory_image, memory_bytes);
	world = world_image;
}

static void program_make(void)
{
	program = (struct explore_program){
		.name = scenario->name,
		.begin = world_begin,
		.end = world_verify,
		.words = memory,
		.bytes = memory_bytes,
		.ignored = world_depot.header->counters,
		.ignored_bytes = sizeof(world_depot.header->counters),
	};
	memcpy(program.threads, scenario->threads, sizeof(program.threads));
	memcpy(program.handlers, scenario->handlers, sizeof(program.handlers));
	while (program.nr_threads < EXPLORE_THREADS && program.threads[program.nr_threads])
		program.nr_threads++;
}

void world_make(const struct scenario *made)
{
	const struct stackdepot_options options = {
		.max_bytes = 1 << 20,
		.lines = made->lines,
		.buckets = made->buckets,
		.lease_ticks = made->lease_ticks,
		.ring_entries = made->ring_entries,
		.seed = 7,
	};
	struct depot_geometry geometry;

	scenario = made;
	free(memory);
	free(memory_image);
	if (depot_plan(&options, 1, &geometry))
		abort();
	memory_bytes = geometry.total_bytes;
	memory = aligned_alloc(DEPOT_CACHE_BYTES, memory_bytes);
	memory_image = aligned_alloc(DEPOT_CACHE_BYTES, memory_bytes);
	if (!memory || !memory_image)
		abort();
	memset(memory, 0, memory_bytes);
	memset(&world, 0, sizeof(world));
	depot_format(memory, &geometry);
	if (depot_open(&world_depot, memory, memory_bytes))
		abort();
	if (scenario->prepare)
		scenario->prepare();
	world.drops = 0;
	memset(world_depot.header->counters, 0, sizeof(world_depot.header->counters));
	memcpy(memory_image, memory, memory_bytes);
	world_image = world;
	program_make();
}

unsigned long world_explore(const struct scenario *explored, unsigned int bound, bool late)
{
	world_make(explored);
	return explore(&program, bound, late);
}
