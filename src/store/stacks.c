/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * stacks.c - live objects, and what they add up to by allocation stack.
 *
 * A trace is named by the number of its line, so a sum for each line finds it without hashing.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "reader.h"

#define STACKS_PAGE_ENTRIES (STORE_PAGE_BYTES / sizeof(struct store_entry))
#define STACKS_PAGE_COUNTERS 4096u /* after so many, whole pages of them are done with */

/* An object of `size` bytes was taken with probability 1 - exp(-size / rate). */
static double stacks_weight(uint64_t size, unsigned int code)
{
	const double rate = ldexp(1, (int)(code + ENTRY_RATE_SHIFT));

	return code ? 1 / -expm1(-(double)(size ? size : 1) / rate) : 1;
}

static uint32_t stacks_process(const struct stackdepot_store *store, uint32_t slot)
{
	const struct store_process *processes = store_at(store, store->layout.processes_offset);

	return slot < store->layout.slots ? processes[slot].serial : 0;
}

/* Whether it is an object. */
static bool stacks_object(struct stackdepot_store *store, const struct store_entry *entry,
			  struct stackdepot_object *ret_object, uint32_t *ret_slot)
{
	uint64_t key = __atomic_load_n(&entry->key, __ATOMIC_ACQUIRE);
	uint64_t value = __atomic_load_n(&entry->value, __ATOMIC_ACQUIRE);
	stackdepot_handle_t handle = (stackdepot_handle_t)value;

	if (!key || key & (ENTRY_BUSY | ENTRY_HELD) || store_is_mapping(key) ||
	    key != __atomic_load_n(&entry->key, __ATOMIC_RELAXED))
		return false;
	ret_object->address = store_key_address(key);
	ret_object->size = value >> 32;
	if (ret_object->size == ENTRY_LARGE)
		ret_object->size = store_large_size(store_at(store, store->layout.larges_offset),
						    key & ~ENTRY_FLAGS);
	ret_object->weight = stacks_weight(ret_object->size, stackdepot_get_extra_bits(handle));
	*ret_slot = store_key_slot(key);
	ret_object->process = stacks_process(store, *ret_slot);
	handle = stackdepot_set_extra_bits(handle, 0);
	ret_object->trace = handle ? stackdepot_ref(store->depot, handle) : 0;
	return true;
}

static bool stacks_mapping(struct stackdepot_store *store, const struct store_entry *entry,
			   struct stackdepot_mapping *ret_mapping)
{
	const uint64_t key = __atomic_load_n(&entry->key, __ATOMIC_ACQUIRE);
	const uint64_t value = __atomic_load_n(&entry->value, __ATOMIC_ACQUIRE);
	const stackdepot_handle_t handle = stackdepot_set_extra_bits((stackdepot_handle_t)value, 0);

	if (!store_is_mapping(key) || key & ENTRY_BUSY ||
	    key != __atomic_load_n(&entry->key, __ATOMIC_RELAXED))
		return false;
	ret_mapping->address = store_key_address(key);
	ret_mapping->size = value >> 32;
	if (ret_mapping->size == ENTRY_LARGE)
		ret_mapping->size = store_large_size(store_at(store, store->layout.larges_offset),
						     key & ~ENTRY_FLAGS);
	ret_mapping->trace = handle ? stackdepot_ref(store->depot, handle) : 0;
	ret_mapping->process = stacks_process(store, store_key_slot(key));
	ret_mapping->recorder = key & ENTRY_BARE;
	return true;
}

/* Where the table goes on, at the begin of a page of it: behind pages that were never written. */
static uint64_t stacks_page(struct stackdepot_store *store, uint64_t position)
{
	uint64_t offset = store->layout.live_offset + position * sizeof(struct store_entry);
	uint64_t next = store_walk(store, offset);

	return next == UINT64_MAX ? next : position + (next - offset) / sizeof(struct store_entry);
}

int store_next_object(struct stackdepot_store *store, uint64_t *position,
		      struct stackdepot_object *ret_object, uint32_t *ret_slot)
{
	const struct store_entry *entries = store_at(store, store->layout.live_offset);
	const uint64_t nr = (uint64_t)store->layout.buckets * STORE_BUCKET_ENTRIES;

	while (*position < nr) {
		if (*position % STACKS_PAGE_ENTRIES == 0)
			*position = stacks_page(store, *position);
		if (*position < nr &&
		    stacks_object(store, &entries[(*position)++], ret_object, ret_slot))
			return 1;
	}
	store_walk_end(store, store->layout.live_offset + nr * sizeof(*entries));
	return 0;
}

int stackdepot_store_next_object(struct stackdepot_store *store, uint64_t *position,
				 struct stackdepot_object *ret_object)
{
	uint32_t slot;

	return store_next_object(store, position, ret_object, &slot);
}

int stackdepot_store_next_mapping(struct stackdepot_store *store, uint64_t *position,
				  struct stackdepot_mapping *ret_mapping)
{
	const struct store_entry *entries = store_at(store, store->layout.live_offset);
	const uint64_t nr = (uint64_t)store->layout.buckets * STORE_BUCKET_ENTRIES;

	while (*position < nr) {
		if (*position % STACKS_PAGE_ENTRIES == 0)
			*position = stacks_page(store, *position);
		if (*position < nr && stacks_mapping(store, &entries[(*position)++], ret_mapping))
			return 1;
	}
	store_walk_end(store, store->layout.live_offset + nr * sizeof(*entries));
	return 0;
}

int stackdepot_store_next_thread(struct stackdepot_store *store, uint64_t *position,
				 uint32_t process, uint64_t *ret_stack)
{
	const struct store_tally_set *sets = store_at(store, store->layout.tallies_offset);
	const struct store_header *header = store->memory;

	while (*position < store->layout.tally_sets) {
		const uint64_t i = (*position)++;
		const uint32_t owner = header->tally_owners[i];

		if (!owner || stacks_process(store, owner - 1) != process)
			continue;
		*ret_stack = sets[i].stack;
		return 1;
	}
	return 0;
}

/* Lines ever used: from the first one on, so no trace, and no counter, is behind them. */
static uint32_t stacks_lines(const struct stackdepot_store *store)
{
	struct stackdepot_stats stats;

	stackdepot_get_stats(store->depot, &stats);
	return stats.lines_used < store->layout.lines ? (uint32_t)stats.lines_used
						      : store->layout.lines;
}

/* Lines used since the sums were begun came too late. */
void store_add_object(struct store_sums *sums, const struct stackdepot_object *object)
{
	const uint32_t line = (uint32_t)object->trace;
	struct stackdepot_stack *stack;
	double variance;

	if (line > sums->lines || (sums->select && !sums->select(sums->context, object->process)))
		return;
	stack = &sums->by_line[line];
	stack->trace = object->trace;
	stack->objects += object->weight;
	stack->bytes += object->weight * (double)object->size;
	/* Of a sum of weights w of what was taken with probability 1 / w. */
	variance = object->weight * (object->weight - 1);
	stack->objects_variance += variance;
	stack->bytes_variance += variance * (double)object->size * (double)object->size;
}

static void stacks_add_objects(struct store_sums *sums)
{
	struct stackdepot_object object;
	uint64_t position = 0;

	while (stackdepot_store_next_object(sums->store, &position, &object))
		store_add_object(sums, &object);
}

/* What processes left that are not told apart any more; of evicted traces, without one. */
static void stacks_add_left(struct stackdepot_store *store, struct stackdepot_stack *by_line,
			    uint32_t lines)
{
	const struct store_header *header = store->memory;
	const struct store_left *lefts = store_at(store, store->layout.lefts_offset);
	uint32_t i;

	by_line[0].objects += (double)header->totals.left_objects / 256;
	by_line[0].bytes += (double)header->totals.left_bytes;
	for (i = 0; i < store->layout.lefts; i++) {
		const struct store_left left = lefts[i];
		const uint32_t line = (uint32_t)left.trace;
		struct stackdepot_stack *stack = &by_line[0];
		uintptr_t frame;

		if (!left.trace || line > lines)
			continue;
		if (stackdepot_fetch_ref(store->depot, left.trace, &frame, 1) > 0 &&
		    (!by_line[line].trace || by_line[line].trace == left.trace)) {
			stack = &by_line[line];
			stack->trace = left.trace;
		}
		stack->objects += (double)left.objects / 256;
		stack->bytes += (double)left.bytes;
	}
}

/* What threads have not yet added to the counters. */
static void stacks_add_tallies(struct stackdepot_store *store, struct stackdepot_stack *by_line,
			       uint32_t lines)
{
	const struct store_tally_set *sets = store_at(store, store->layout.tallies_offset);
	uint32_t i;

	for (i = 0; i < store->layout.tally_sets * STORE_TALLIES; i++) {
		const struct store_tally now = sets[i / STORE_TALLIES].tally[i % STORE_TALLIES];
		const uint32_t line = (uint32_t)now.trace;

		if (!line || line > lines ||
		    (by_line[line].trace && by_line[line].trace != now.trace))
			continue;
		by_line[line].trace = now.trace;
		by_line[line].allocs += (double)now.allocs / 256;
		by_line[line].alloc_bytes += (double)now.bytes;
	}
}

static void stacks_add_counters(struct stackdepot_store *store, struct stackdepot_stack *by_line,
				uint32_t lines)
{
	const struct store_counter *counters = store_at(store, store->layout.counters_offset);
	uint32_t line;

	for (line = 1; line <= lines; line++) {
		struct store_counter counter = counters[line];
		stackdepot_ref_t trace = counter.life << 32 | line;

		if (line % STACKS_PAGE_COUNTERS == 0)
			(void)store_walk(store,
					 store->layout.counters_offset + line * sizeof(*counters));
		if (!counter.allocs || (by_line[line].trace && by_line[line].trace != trace))
			continue;
		by_line[line].trace = trace;
		by_line[line].allocs += (double)counter.allocs / 256;
		by_line[line].alloc_bytes += (double)counter.bytes;
	}
	store_walk_end(store, store->layout.counters_offset + line * sizeof(*counters));
}

static int stacks_compare(const void *a, const void *b)
{
	const struct stackdepot_stack *left = a, *right = b;

	if (left->bytes != right->bytes)
		return left->bytes < right->bytes ? 1 : -1;
	if (left->objects != right->objects)
		return left->objects < right->objects ? 1 : -1;
	if (left->alloc_bytes != right->alloc_bytes)
		return left->alloc_bytes < right->alloc_bytes ? 1 : -1;
	return left->trace < right->trace ? -1 : left->trace > right->trace;
}

int store_sums_begin(struct stackdepot_store *store, stackdepot_select_fn *select, void *context,
		     struct store_sums *ret_sums)
{
	*ret_sums = (struct store_sums){store, select, context, stacks_lines(store), NULL};
	ret_sums->by_line = calloc((size_t)ret_sums->lines + 1, sizeof(*ret_sums->by_line));
	return ret_sums->by_line ? 0 : -ENOMEM;
}

void store_sums_end(struct store_sums *sums, struct stackdepot_stack **ret_stacks, size_t *ret_nr)
{
	struct stackdepot_stack *by_line = sums->by_line;
	size_t line, nr = 0;

	stacks_add_tallies(sums->store, by_line, sums->lines);
	stacks_add_counters(sums->store, by_line, sums->lines);
	for (line = 0; line <= sums->lines; line++)
		if (by_line[line].objects > 0 || by_line[line].allocs > 0)
			by_line[nr++] = by_line[line];
	qsort(by_line, nr, sizeof(*by_line), stacks_compare);
	*ret_stacks = by_line;
	*ret_nr = nr;
}

int stackdepot_store_stacks(struct stackdepot_store *store, stackdepot_select_fn *select,
			    void *context, struct stackdepot_stack **ret_stacks, size_t *ret_nr)
{
	struct store_sums sums;
	int error = store_sums_begin(store, select, context, &sums);

	if (error)
		return error;
	stacks_add_objects(&sums);
	if (!select || select(context, 0))
		stacks_add_left(store, sums.by_line, sums.lines);
	store_sums_end(&sums, ret_stacks, ret_nr);
	return 0;
}

int stackdepot_store_next_corpus(struct stackdepot_store *store, uint64_t *position,
				 stackdepot_handle_t *ret_handle)
{
	const uint32_t *corpus = store_at(store, store->layout.corpus_offset);
	const struct store_header *header = store->memory;
	uint64_t recorded = __atomic_load_n(&header->totals.corpus_next, __ATOMIC_RELAXED);

	if (*position >= store->corpus_events || *position >= recorded)
		return 0;
	*ret_handle = corpus[(*position)++];
	return 1;
}
