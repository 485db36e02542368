/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * read.c - what the stores hold, equal stacks and equal errors of all processes being one.
 *
 * All are read first, each trace as the places it goes through. Sorted by these, equal ones are
 * neighbours.
 */
#include <stdlib.h>
#include <string.h>

#include "alive.h"
#include "base/hash.h"
#include "base/memory.h"
#include "lost_stacks.h"
#include "read.h"

#define BLOCK_FRAMES 16384u

_Static_assert(BLOCK_FRAMES >= STACKDEPOT_MAX_FRAMES, "a trace lies in one block");

/* Frames of traces, one trace after the other; blocks stay where they are. */
struct profile_block {
	struct profile_block *next;
	size_t used;
	struct symbol_frame *frames[BLOCK_FRAMES];
};

/* As one store has it. */
struct read_stack {
	struct profile_stack stack;
	size_t store;
	stackdepot_ref_t trace;
};

/* A trace of a store. */
struct read_place {
	size_t store;
	stackdepot_ref_t trace;
};

struct read {
	struct profile *profile;
	struct read_place *left_out;
	size_t nr_left_out;
	size_t left_out_room;
	/* The trace that was read last, of which store, as stored and as places. */
	const struct profile_store *last_of;
	uintptr_t last_raw[STACKDEPOT_MAX_FRAMES];
	uint32_t last_owner;
	struct profile_trace last;
	struct read_stack *stacks;
	size_t nr;
	size_t room;
	struct profile_error *errors;
	size_t nr_errors;
	size_t errors_room;
};

/* --- traces ----------------------------------------------------------------------------------- */

static struct profile_block *read_block(struct profile *profile, size_t frames)
{
	struct profile_block *block = profile->blocks;

	if (block && block->used + frames <= BLOCK_FRAMES)
		return block;
	block = memory_alloc(sizeof(*block));
	block->next = profile->blocks;
	profile->blocks = block;
	return block;
}

/* A trace as stored, whose addresses are OWNER's. */
struct read_raw {
	const uintptr_t *frames;
	unsigned int nr;
	uint32_t owner;
};

/* How many frames, the outermost ones, the trace that was read last has, too. */
static unsigned int read_shared(const struct read *read, const struct profile_store *store,
				const struct read_raw *raw)
{
	const unsigned int nr = raw->nr;
	unsigned int shared = 0;

	if (read->last_of != store || read->last_owner != raw->owner)
		return 0;
	while (shared < nr && shared < read->last.nr &&
	       raw->frames[nr - 1 - shared] == read->last_raw[read->last.nr - 1 - shared])
		shared++;
	return shared;
}

/* The places of its frames: those that the last trace shares are known, others are asked for. */
static void read_places(struct read *read, const struct profile_store *store,
			const struct read_raw *raw, struct profile_trace *trace)
{
	const unsigned int nr = raw->nr;
	struct profile_block *block = read_block(read->profile, nr);
	struct symbol_frame **frames = &block->frames[block->used];
	unsigned int i, shared = read_shared(read, store, raw);

	for (i = 0; i < nr - shared; i++)
		frames[i] = symbols_place(store->symbols, raw->frames[i], raw->owner);
	if (shared)
		memcpy(&frames[i], &read->last.frames[read->last.nr - shared],
		       shared * sizeof(struct symbol_frame *));
	for (i = 0; i < nr; i++)
		trace->hash = hash_word(trace->hash, frames[i]->hash);
	block->used += nr;
	trace->frames = frames;
	trace->nr = nr;
}

static struct profile_trace read_trace(struct read *read, const struct profile_store *store,
				       stackdepot_ref_t ref)
{
	uintptr_t raw[STACKDEPOT_MAX_FRAMES];
	int nr = ref ? stackdepot_fetch_ref(stackdepot_store_depot(store->store), ref, raw,
					    STACKDEPOT_MAX_FRAMES)
		     : 0;
	struct profile_trace trace = {.evicted = ref && nr <= 0, .hash = ref && nr <= 0};
	struct read_raw stored;

	if (nr <= 0)
		return trace;
	stored = (struct read_raw){raw, (unsigned int)nr, stackdepot_frame_process(raw[nr - 1])};
	stored.nr -= stored.owner != 0;
	read_places(read, store, &stored, &trace);
	memcpy(read->last_raw, raw, (size_t)nr * sizeof(*raw));
	read->last_owner = stored.owner;
	read->last = trace;
	read->last_of = store;
	return trace;
}

static int trace_compare(const struct profile_trace *a, const struct profile_trace *b)
{
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->nr != b->nr)
		return a->nr < b->nr ? -1 : 1;
	return a->nr ? memcmp(a->frames, b->frames, a->nr * sizeof(*a->frames)) : 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

static struct read_stack *read_add_stack(struct read *read, size_t number, stackdepot_ref_t trace)
{
	const struct profile_store *store = &read->profile->stores[number];
	struct read_stack *added;

	read->stacks = memory_room(read->stacks, read->nr, &read->room, sizeof(*read->stacks));
	added = &read->stacks[read->nr++];
	*added = (struct read_stack){
		.stack.trace = read_trace(read, store, trace), .store = number, .trace = trace};
	return added;
}

/* In the order they were stored in, in which neighbours have most of their frames in common. */
static int sums_by_line(const void *a, const void *b)
{
	const struct stackdepot_stack *left = a, *right = b;
	uint32_t l = (uint32_t)left->trace, r = (uint32_t)right->trace;

	return l < r ? -1 : l > r;
}

struct read_select {
	const struct profile *profile;
	size_t store;
	bool all;  /* of the listed ones, not only those that run */
	bool peak; /* what was replaced had a peak, too */
};

/* With a program that was replaced its memory went. */
static int read_is_selected(void *context, uint32_t serial)
{
	const struct read_select *select = context;
	const size_t i = profile_find(select->profile, select->store, serial);
	const struct stackdepot_store_info *info;

	if (!serial)
		return select->all && !select->profile->is_part;
	if (i == select->profile->nr_processes)
		return 0;
	info = &select->profile->processes[i].info;
	if (select->profile->ended_only && alive_is_running(info))
		return 0;
	if (info->state == STACKDEPOT_STORE_REPLACED && !select->peak)
		return 0;
	return select->all || alive_is_running(info);
}

static enum stackdepot_peak_of read_peak_of(enum targets_peak peak)
{
	return peak == TARGETS_PEAK ? STACKDEPOT_PEAK_LIFE : STACKDEPOT_PEAK_INTERVAL;
}

/* The highest points of all processes. */
static bool read_peaks(struct profile *profile)
{
	size_t i, number;

	for (i = 0; i < profile->nr_processes; i++)
		profile->processes[i].peak = (struct stackdepot_peak){0};
	for (number = 0; number < profile->nr_stores; number++) {
		struct profile_store *store = &profile->stores[number];

		free(store->peaks);
		store->peaks = NULL;
		if (stackdepot_store_peaks(store->store, read_peak_of(profile->peak), &store->peaks,
					   &store->nr_peaks))
			return false;
		for (i = 0; i < store->nr_peaks; i++) {
			size_t at = profile_find(profile, number, store->peaks[i].serial);

			if (at < profile->nr_processes)
				profile->processes[at].peak = store->peaks[i];
		}
	}
	return true;
}

static int read_sums(const struct profile_store *store, enum targets_peak peak,
		     struct read_select *select, struct stackdepot_stack **ret_sums, size_t *ret_nr)
{
	if (peak == TARGETS_NOW)
		return stackdepot_store_stacks(store->store, read_is_selected, select, ret_sums,
					       ret_nr);
	select->peak = true;
	return stackdepot_store_peak_stacks(store->store, read_peak_of(peak), store->peaks,
					    store->nr_peaks, read_is_selected, select, ret_sums,
					    ret_nr);
}

static bool read_stacks(struct read *read, size_t number, bool all)
{
	const struct profile *profile = read->profile;
	struct read_select select = {.profile = profile, .store = number, .all = all};
	struct stackdepot_store_info info;
	struct stackdepot_stack *sums;
	size_t i, nr;

	stackdepot_store_get_info(profile->stores[number].store, &info);
	if (read_sums(&profile->stores[number], profile->peak, &select, &sums, &nr))
		return false;
	if (nr)
		qsort(sums, nr, sizeof(*sums), sums_by_line);
	read->room = read->nr + nr;
	read->stacks = memory_realloc(read->stacks, read->room * sizeof(*read->stacks));
	for (i = 0; i < nr; i++) {
		struct profile_sums *found;

		if (profile->is_part && sums[i].objects <= 0)
			continue;
		found = &read_add_stack(read, number, sums[i].trace)->stack.sums;
		*found = (struct profile_sums){
			.objects = sums[i].objects,
			.bytes = sums[i].bytes,
			.objects_variance = sums[i].objects_variance,
			.bytes_variance = sums[i].bytes_variance,
			.allocs = profile->is_part ? 0 : sums[i].allocs,
			.alloc_bytes = profile->is_part ? 0 : sums[i].alloc_bytes,
		};
		profile_sums_rate(found, info.sample_bytes);
	}
	free(sums);
	return true;
}

static void read_lost(struct read *read, size_t number)
{
	const struct profile_process *process = &read->profile->processes[number];
	const struct lost_stack *stacks = process->lost.stacks;
	size_t i;

	for (i = 0; i < process->lost.nr; i++) {
		struct profile_stack *stack =
			&read_add_stack(read, process->store, stacks[i].trace)->stack;

		stack->sums.objects = stacks[i].objects;
		stack->sums.bytes = stacks[i].bytes;
		stack->sums.objects_variance = stacks[i].objects_variance;
		stack->sums.bytes_variance = stacks[i].bytes_variance;
		stack->lost_objects = stacks[i].lost_objects;
		stack->lost_bytes = stacks[i].lost_bytes;
	}
}

/* In no order: one a mapping; equal ones become one. */
static void read_mappings(struct read *read, size_t number, bool all)
{
	struct read_select select = {.profile = read->profile, .store = number, .all = all};
	struct stackdepot_mapping mapping;
	uint64_t position = 0;

	while (stackdepot_store_next_mapping(read->profile->stores[number].store, &position,
					     &mapping)) {
		if (mapping.recorder || !read_is_selected(&select, mapping.process))
			continue;
		read_add_stack(read, number, mapping.trace)->stack.sums = (struct profile_sums){
			.objects = 1,
			.bytes = (double)mapping.size,
		};
	}
}

/* Did any of the listed processes of a store meet one? */
static bool read_has_errors(const struct profile *profile, size_t number)
{
	size_t i;

	for (i = 0; i < profile->nr_processes; i++)
		if (profile->processes[i].store == number && profile->processes[i].info.errors_seen)
			return true;
	return false;
}

/* Which processes met an error is not stored, but for the first and how many. */
static bool read_may_be_met(const struct stackdepot_error *error)
{
	return error->processes > 1 && !(error->flags & STACKDEPOT_ERROR_DOUBTFUL);
}

static void read_candidates(struct read *read, const struct profile_store *store,
			    struct profile_error *found)
{
	unsigned int i;

	for (i = 0; i < found->error.nr_candidates; i++) {
		const struct stackdepot_candidate *candidate = &found->error.candidates[i];

		found->candidate_alloc[i] = read_trace(read, store, candidate->alloc_trace);
		found->candidate_free[i] = read_trace(read, store, candidate->free_trace);
	}
}

static void read_errors(struct read *read, size_t number)
{
	const struct profile *profile = read->profile;
	const struct profile_store *store = &profile->stores[number];
	const bool any = read_has_errors(profile, number);
	struct stackdepot_error error;
	uint64_t position = 0;

	while (stackdepot_store_next_error(store->store, &position, &error)) {
		const bool elsewhere =
			profile->is_part &&
			profile_find(profile, number, error.process) == profile->nr_processes;

		if (elsewhere && !(any && read_may_be_met(&error)))
			continue;
		read->errors = memory_room(read->errors, read->nr_errors, &read->errors_room,
					   sizeof(*read->errors));
		read->errors[read->nr_errors++] = (struct profile_error){
			.error = error,
			.access = read_trace(read, store, error.access_trace),
			.alloc = read_trace(read, store, error.alloc_trace),
			.free = read_trace(read, store, error.free_trace),
			.store = number,
			.elsewhere = elsewhere,
		};
		read_candidates(read, store, &read->errors[read->nr_errors - 1]);
	}
}

/* --- making one of equal ones ----------------------------------------------------------------- */

static int stacks_by_trace(const void *a, const void *b)
{
	const struct read_stack *left = a, *right = b;
	int order = trace_compare(&left->stack.trace, &right->stack.trace);

	return order ? order : (left->store > right->store) - (left->store < right->store);
}

static int stacks_by_bytes(const void *a, const void *b)
{
	const struct profile_stack *left = a, *right = b;

	if (left->sums.bytes != right->sums.bytes)
		return left->sums.bytes < right->sums.bytes ? 1 : -1;
	if (left->sums.objects != right->sums.objects)
		return left->sums.objects < right->sums.objects ? 1 : -1;
	return left->trace.hash < right->trace.hash ? -1 : left->trace.hash > right->trace.hash;
}

/* What processes hold is counted without it. */
static void read_leave_out(struct read *read, size_t store, stackdepot_ref_t trace)
{
	read->left_out = memory_room(read->left_out, read->nr_left_out, &read->left_out_room,
				     sizeof(*read->left_out));
	read->left_out[read->nr_left_out++] = (struct read_place){.store = store, .trace = trace};
}

/* NR stacks of the same places: one, which may be left out. */
static void merge_stacks(struct read *read, const struct read_stack *equal, size_t nr)
{
	struct profile *profile = read->profile;
	const struct profile_filter *filter = profile->filter;
	struct profile_stack *stack = &profile->stacks[profile->nr++];
	size_t i;

	*stack = equal[0].stack;
	for (i = 1; i < nr; i++) {
		profile_sums_add(&stack->sums, &equal[i].stack.sums);
		stack->lost_objects += equal[i].stack.lost_objects;
		stack->lost_bytes += equal[i].stack.lost_bytes;
	}
	if (!filter || stack->sums.objects <= 0 || !filter->leak(filter->context, stack))
		return;
	stack->sums.objects = stack->sums.bytes = 0;
	for (i = 0; i < nr; i++)
		read_leave_out(read, equal[i].store, equal[i].trace);
}

static void merge_all_stacks(struct read *read)
{
	struct profile *profile = read->profile;
	size_t first, end;

	profile->stacks = memory_alloc(read->nr * sizeof(*profile->stacks));
	if (read->nr)
		qsort(read->stacks, read->nr, sizeof(*read->stacks), stacks_by_trace);
	for (first = 0; first < read->nr; first = end) {
		for (end = first + 1; end < read->nr; end++)
			if (trace_compare(&read->stacks[first].stack.trace,
					  &read->stacks[end].stack.trace))
				break;
		merge_stacks(read, &read->stacks[first], end - first);
	}
	if (profile->nr)
		qsort(profile->stacks, profile->nr, sizeof(*profile->stacks), stacks_by_bytes);
}

static bool errors_doubtful(const struct profile_error *error)
{
	return error->error.flags & STACKDEPOT_ERROR_DOUBTFUL;
}

static bool errors_are_equal(const struct profile_error *a, const struct profile_error *b)
{
	return a->error.kind == b->error.kind && a->error.signal == b->error.signal &&
	       errors_doubtful(a) == errors_doubtful(b) && !trace_compare(&a->access, &b->access) &&
	       !trace_compare(&a->alloc, &b->alloc) && !trace_compare(&a->free, &b->free);
}

/* They are few. A store may have one twice, if two processes met it at the same time. */
static struct profile_error *errors_find(struct profile *profile, const struct profile_error *error)
{
	size_t i;

	for (i = 0; i < profile->nr_errors; i++)
		if (errors_are_equal(&profile->errors[i], error))
			return &profile->errors[i];
	return NULL;
}

/* Errors first, each part in the order they were met. */
static void split_doubts(struct profile *profile)
{
	struct profile_error *all = profile->errors;
	size_t i, nr = profile->nr_errors;

	profile->errors = memory_alloc((nr + 1) * sizeof(*all));
	profile->nr_errors = 0;
	for (i = 0; i < nr; i++)
		if (!errors_doubtful(&all[i]))
			profile->errors[profile->nr_errors++] = all[i];
	profile->doubts = profile->errors + profile->nr_errors;
	profile->nr_doubts = 0;
	for (i = 0; i < nr; i++)
		if (errors_doubtful(&all[i]))
			profile->doubts[profile->nr_doubts++] = all[i];
	free(all);
}

/* It is counted at the process that met it first. */
static void error_leave_out(struct profile *profile, const struct profile_error *error)
{
	const size_t i = profile_find(profile, error->store, error->error.process);
	struct profile_process *process = &profile->processes[i];

	if (i < profile->nr_processes)
		process->errors -=
			error->error.count < process->errors ? error->error.count : process->errors;
}

static void merge_all_errors(struct read *read)
{
	struct profile *profile = read->profile;
	const struct profile_filter *filter = profile->filter;
	size_t i, nr = 0;

	profile->errors = memory_alloc(read->nr_errors * sizeof(*profile->errors));
	for (i = 0; i < read->nr_errors; i++) {
		struct profile_error *known = errors_find(profile, &read->errors[i]);

		if (!known) {
			profile->errors[profile->nr_errors++] = read->errors[i];
			continue;
		}
		known->elsewhere &= read->errors[i].elsewhere;
		known->error.count += read->errors[i].error.count;
		known->error.processes += read->errors[i].error.processes;
	}
	for (i = 0; i < profile->nr_errors; i++)
		if (filter && filter->error(filter->context, &profile->errors[i]))
			error_leave_out(profile, &profile->errors[i]);
		else if (profile->errors[i].elsewhere)
			profile->nr_elsewhere++;
		else
			profile->errors[nr++] = profile->errors[i];
	profile->nr_errors = nr;
	split_doubts(profile);
}

/* --- what each process holds ------------------------------------------------------------------ */

static int places_compare(const void *a, const void *b)
{
	const struct read_place *left = a, *right = b;

	if (left->store != right->store)
		return left->store < right->store ? -1 : 1;
	return left->trace < right->trace ? -1 : left->trace > right->trace;
}

static bool held_is_left_out(const struct read *read, size_t store, stackdepot_ref_t trace)
{
	const struct read_place place = {.store = store, .trace = trace};

	return read->nr_left_out &&
	       bsearch(&place, read->left_out, read->nr_left_out, sizeof(place), places_compare);
}

static void held_objects(struct read *read, size_t number)
{
	struct profile *profile = read->profile;
	struct stackdepot_object object;
	uint64_t position = 0;
	size_t i = profile->nr_processes;

	while (stackdepot_store_next_object(profile->stores[number].store, &position, &object)) {
		/* Neighbours are mostly of one process. */
		if (i == profile->nr_processes || profile->processes[i].store != number ||
		    profile->processes[i].info.serial != object.process)
			i = profile_find(profile, number, object.process);
		if (i == profile->nr_processes ||
		    profile->processes[i].info.state == STACKDEPOT_STORE_REPLACED ||
		    held_is_left_out(read, number, object.trace))
			continue;
		profile->processes[i].live.objects += object.weight;
		profile->processes[i].live.bytes += object.weight * (double)object.size;
	}
}

static void held_lost(struct profile_process *process)
{
	size_t i;

	for (i = 0; i < process->lost.nr; i++) {
		process->live.objects += process->lost.stacks[i].objects;
		process->live.bytes += process->lost.stacks[i].bytes;
	}
}

static void read_held(struct read *read)
{
	struct profile *profile = read->profile;
	size_t i;

	if (read->nr_left_out)
		qsort(read->left_out, read->nr_left_out, sizeof(*read->left_out), places_compare);
	for (i = 0; i < profile->nr_stores && !profile->lost_only && !profile->peak; i++)
		held_objects(read, i);
	for (i = 0; i < profile->nr_processes; i++) {
		struct profile_process *process = &profile->processes[i];

		process->live.allocs = process->info.allocs;
		process->live.alloc_bytes = process->info.alloc_bytes;
		profile_sums_rate(&process->live, process->info.sample_bytes);
		if (profile->lost_only) {
			held_lost(process);
		} else if (profile->peak) {
			process->live.objects = process->peak.taken_objects;
			process->live.bytes = process->peak.taken_bytes;
		} else {
			process->live.objects += process->info.left_objects;
			process->live.bytes += process->info.left_bytes;
		}
	}
}

/* ---------------------------------------------------------------------------------------------- */

void profile_forget(struct profile *profile)
{
	size_t i;

	while (profile->blocks) {
		struct profile_block *block = profile->blocks;

		profile->blocks = block->next;
		free(block);
	}
	free(profile->stacks);
	free(profile->errors);
	profile->stacks = NULL;
	profile->errors = profile->doubts = NULL;
	profile->nr = profile->nr_errors = profile->nr_doubts = profile->nr_elsewhere = 0;
	for (i = 0; i < profile->nr_processes; i++)
		profile->processes[i].live = (struct profile_sums){0};
}

bool profile_read(struct profile *profile)
{
	struct read read = {.profile = profile};
	bool all = !profile->running_only || !profile_running(profile), good = true;
	size_t i;

	profile_forget(profile);
	for (i = 0; i < profile->nr_processes; i++)
		profile->processes[i].errors = profile->processes[i].info.errors_seen;
	if (profile->filter)
		profile->filter->begin(profile->filter->context);
	for (i = 0; i < profile->nr_processes && profile->lost_only; i++)
		read_lost(&read, i);
	good = profile->peak == TARGETS_NOW || read_peaks(profile);
	for (i = 0; i < profile->nr_stores && good; i++) {
		if (profile->mapped)
			read_mappings(&read, i, all);
		else if (!profile->lost_only)
			good = read_stacks(&read, i, all);
		read_errors(&read, i);
	}
	if (good) {
		merge_all_stacks(&read);
		merge_all_errors(&read);
		read_held(&read);
	}
	free(read.stacks);
	free(read.errors);
	free(read.left_out);
	return good;
}
