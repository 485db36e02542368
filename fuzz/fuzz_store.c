/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A store with every kind of record in it, of which bytes are changed:
 *
 *	section, place in it (2 bytes), how many (1 to 16), these bytes		again and again
 *
 * The section 255 cuts the file at a page instead. Everything that a reader gives out is asked for,
 * and the profile that reports are made of.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/complain.h"
#include "files.h"
#include "fuzz.h"
#include "profile/heaps.h"
#include "profile/profile.h"
#include "profile/stats.h"
#include "stackdepot/stackdepot.h"
#include "stackdepot/store.h"
#include "store/format.h"
#include "store/frame.h"

#define BYTES STORE_MIN_BYTES
#define EVENTS 8u
#define TRACES 12u
#define PROCESSES 3u
#define PID 4000000000u /* nobody's */

/* A fuzzer's output is its own. */
void complain(const char *format, ...)
{
	(void)format;
}

static uint8_t sound[BYTES] __attribute__((aligned(4096)));
static struct store_layout layout;

/* --- the store -------------------------------------------------------------------------------- */

static void make_header(struct store_header *header)
{
	*header = (struct store_header){
		.magic = STORE_MAGIC,
		.version = STORE_VERSION,
		.header_bytes = sizeof(*header),
		.total_bytes = BYTES,
		.corpus_events = EVENTS,
		.serial = PROCESSES,
		.totals = {.live_objects = TRACES,
			   .corpus_next = EVENTS,
			   .left_objects = 256,
			   .left_bytes = 10},
	};
}

/* Two that have ended, one of them with a row, and one that may run. */
static void make_processes(struct store_process *processes)
{
	static const uint32_t stages[PROCESSES] = {STORE_CLOSED, STORE_ROW, STORE_OPEN};
	unsigned int i;

	for (i = 0; i < PROCESSES; i++)
		processes[i] = (struct store_process){.owner = STORE_OWNER_LOCKED,
						      .stage = stages[i],
						      .serial = i + 1,
						      .pid = PID + i,
						      .parent = 1,
						      .start_ns = 1000,
						      .state = i ? STORE_RUNNING : STORE_WAITED,
						      .heaps = i,
						      .processes = 1 + i,
						      .command_bytes = 6,
						      .command = "a\0b c",
						      .counts = {.allocs = 256 * TRACES,
								 .errors_seen = 3,
								 .left_objects = 256,
								 .left_bytes = 7}};
}

static void make_tallies(struct store_tally_set *set, stackdepot_ref_t trace)
{
	set->tally[7] = (struct store_tally){.trace = trace, .allocs = 256, .bytes = 9};
}

static void make_run(struct store_run *run)
{
	run->notes[0] = (struct store_note){.state = STORE_RECORD_VALID,
					    .pid = PID,
					    .count = 2,
					    .text_bytes = 12,
					    .text = "no more room"};
	run->starts[0] = (struct store_start){.state = STORE_RECORD_VALID,
					      .reason = STACKDEPOT_START_STATIC,
					      .started = 3,
					      .arrived = 1,
					      .path_bytes = 12,
					      .path = "/bin/busybox"};
	run->heaps[0] = (struct store_heap){
		.state = STORE_RECORD_VALID, .allocator = "arena", .module = "libarena.so"};
}

static void make_modules(struct store_module *modules)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		modules[i] = (struct store_module){
			.state = STORE_RECORD_VALID,
			.identity = {.bytes = 1 << 20, .build_id_bytes = i < 2 ? 20 : 0},
			.path_bytes = 9,
			.path = "/lib/x.so"};
		modules[i].path[5] = (char)('x' + i);
		memset(modules[i].identity.build_id, (int)i, 20);
	}
}

/* A trace from everywhere, and of each an object, a counter and an event of the corpus. */
static void make_traces(struct stackdepot *depot)
{
	struct store_bucket *buckets = (void *)(sound + layout.live_offset);
	struct store_counter *counters = (void *)(sound + layout.counters_offset);
	struct store_error *errors = (void *)(sound + layout.errors_offset);
	struct store_left *lefts = (void *)(sound + layout.lefts_offset);
	uint32_t *corpus = (void *)(sound + layout.corpus_offset);
	uintptr_t frames[20];
	unsigned int i, j;

	for (i = 0; i < TRACES; i++) {
		stackdepot_handle_t handle;
		stackdepot_ref_t ref;

		for (j = 0; j < 20; j++)
			frames[j] = frame_of_module(1 + j % 4, 0x1000ull * j + i);
		frames[2] = frame_of_address(0x7f0000000000ull + i);
		frames[3] = STACKDEPOT_FRAME_GUESS;
		if (i > 3)
			frames[i + 3] = frame_of_process(i % 5);
		handle = stackdepot_save(depot, frames, 4 + i, 0);
		ref = stackdepot_ref(depot, handle);
		buckets[i].entry[0] = (struct store_entry){
			.key = store_place(0x1000 + 64 * i, i % PROCESSES),
			.value = store_entry_value(
				24, stackdepot_set_extra_bits(handle, i % 2 ? 3 : 0))};
		counters[(uint32_t)ref] = (struct store_counter){ref >> 32, 256 * (i + 1), 24};
		corpus[i % EVENTS] = handle;
		errors[i % 3] = (struct store_error){.kind = 1 + i % 10,
						     .access_trace = ref,
						     .alloc_trace = ref,
						     .free_trace = ref,
						     .flags = i,
						     .process = 1 + i % 4,
						     .processes = i,
						     .count = 1};
		if (i % 4 == 3)
			lefts[i] = (struct store_left){ref, 256 * i, 24 * i};
		make_tallies((void *)(sound + layout.tallies_offset), ref);
	}
}

static void make_store(void)
{
	struct store_header *header = (void *)sound;
	struct stackdepot *depot;

	if (store_plan(BYTES, EVENTS, &layout) ||
	    stackdepot_create_at(
		    &(struct stackdepot_options){.max_bytes = layout.depot_bytes + STORE_PAGE_BYTES,
						 .ring_entries = layout.ring_entries,
						 .lines = layout.lines,
						 .seed = 1},
		    sound + layout.depot_offset, &depot))
		abort();
	make_header(header);
	header->tally_owners[0] = PROCESSES;
	make_run(store_run(header));
	make_modules((void *)(sound + layout.modules_offset));
	make_processes((void *)(sound + layout.processes_offset));
	make_traces(depot);
	stackdepot_destroy(depot);
}

/* --- what is asked of it ---------------------------------------------------------------------- */

static void ask_trace(struct stackdepot_store *store, stackdepot_ref_t ref)
{
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	struct stackdepot_module module;
	int i, nr = ref ? stackdepot_fetch_ref(stackdepot_store_depot(store), ref, frames,
					       STACKDEPOT_MAX_FRAMES)
			: 0;

	for (i = 0; i < nr; i++)
		if (stackdepot_store_module(store, stackdepot_frame_module(frames[i]), &module) &&
		    strlen(module.path) >= STORE_PATH_BYTES)
			abort();
}

static void ask_run(struct stackdepot_store *store)
{
	struct stackdepot_module module;
	struct stackdepot_start start;
	struct stackdepot_note note;
	uint64_t position;

	for (position = 0; stackdepot_store_next_note(store, &position, &note);)
		if (strlen(note.text) > sizeof(((struct store_note *)NULL)->text))
			abort();
	for (position = 0; stackdepot_store_next_start(store, &position, &start);)
		if (start.missing > start.started || !stackdepot_start_reason(start.reason))
			abort();
	for (position = 0; stackdepot_store_next_module(store, &position, &module);)
		if (module.build_id_bytes > STORE_BUILD_ID_BYTES)
			abort();
}

static void ask_traces(struct stackdepot_store *store)
{
	struct stackdepot_object object;
	struct stackdepot_error error;
	stackdepot_handle_t handle;
	uint64_t position;

	for (position = 0; stackdepot_store_next_object(store, &position, &object);) {
		if (!(object.weight >= 1))
			abort();
		ask_trace(store, object.trace);
	}
	for (position = 0; stackdepot_store_next_error(store, &position, &error);) {
		ask_trace(store, error.access_trace);
		ask_trace(store, error.alloc_trace);
		ask_trace(store, error.free_trace);
	}
	for (position = 0; stackdepot_store_next_corpus(store, &position, &handle);)
		ask_trace(store, stackdepot_ref(stackdepot_store_depot(store), handle));
}

static void ask_store(const char *path)
{
	struct stackdepot_store_info info;
	struct stackdepot_store *store;

	if (stackdepot_store_open(path, &store))
		return;
	stackdepot_store_get_info(store, &info);
	if (info.command_bytes > STORE_COMMAND_BYTES || info.command[info.command_bytes])
		abort();
	ask_run(store);
	ask_traces(store);
	(void)stackdepot_check(stackdepot_store_depot(store));
	stackdepot_store_close(store);
}

static void ask_profile(char *path)
{
	struct targets targets = {.names = &path, .nr = 1};
	struct profile *profile = profile_open(&targets, NULL);
	struct stats_row rows[STATS_ROWS];
	struct heaps heaps;
	size_t i;

	if (!profile)
		return;
	for (i = 0; i < profile->nr; i++) {
		const struct profile_trace *trace = &profile->stacks[i].trace;
		unsigned int j;

		for (j = 0; j < trace->nr; j++)
			(void)symbols_frame(trace->frames[j]);
		(void)profile_key(trace);
	}
	for (i = 0; i < symbols_modules(profile->symbols); i++)
		if (!clean_is(symbols_module(profile->symbols, i)->path))
			abort();
	(void)stats_rows(profile, rows);
	heaps_unseen(profile, &heaps);
	profile_close(profile);
}

/* --- what is changed in it -------------------------------------------------------------------- */

static uint64_t section_offset(unsigned int section)
{
	const uint64_t offsets[] = {0,
				    STORE_HEADER_BYTES,
				    STORE_HEADER_BYTES + sizeof(struct store_note) * STORE_NOTES,
				    layout.processes_offset,
				    layout.parts_offset,
				    layout.modules_offset,
				    layout.index_offset,
				    layout.errors_offset,
				    layout.corpus_offset,
				    layout.live_offset,
				    layout.larges_offset,
				    layout.lefts_offset,
				    layout.tallies_offset,
				    layout.counters_offset,
				    layout.depot_offset};

	return offsets[section % (sizeof(offsets) / sizeof(offsets[0]))];
}

/* Returns the bytes of the file. */
static uint64_t change(uint8_t *store, const uint8_t *data, size_t size)
{
	uint64_t bytes = BYTES, at;

	while (size >= 5) {
		size_t nr = data[3] % 16 + 1u, place = data[1] | (size_t)data[2] << 8;

		if (data[0] == 255) {
			bytes = place % (BYTES / STORE_PAGE_BYTES) * STORE_PAGE_BYTES;
			data += 3;
			size -= 3;
			continue;
		}
		at = section_offset(data[0]) + place;
		nr = nr < size - 4 ? nr : size - 4;
		if (at + nr <= BYTES)
			memcpy(store + at, data + 4, nr);
		data += 4 + nr;
		size -= 4 + nr;
	}
	return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t store[BYTES];
	char *path;

	if (!layout.lines) {
		make_store();
		symbols_set_root(files_directory());
	}
	memcpy(store, sound, BYTES);
	files_write("store", store, change(store, data, size));
	path = files_path("store");
	ask_store(path);
	ask_profile(path);
	(void)stackdepot_store_finish(path, PID, 0);
	(void)stackdepot_store_settle(path);
	ask_store(path);
	free(path);
	return 0;
}
