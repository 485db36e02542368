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

/* An object of `size` bytes was taken with probability 1 - exp(-size / rate). */
static double stacks_weight(uint64_t size, unsigned int code)
{
	const double rate = ldexp(1, (int)(code + ENTRY_RATE_SHIFT));

	return code ? 1 / -expm1(-(double)(size ? size : 1) / rate) : 1;
}

int stackdepot_store_next_object(struct stackdepot_store *store, uint64_t *position,
				 struct stackdepot_object *ret_object)
{
	const struct store_entry *entries = store_at(store, store->layout.live_offset);
	const uint64_t nr = (uint64_t)store->layout.buckets * STORE_BUCKET_ENTRIES;

	while (*position < nr) {
		const struct store_entry *entry = &entries[(*position)++];
		uint64_t key = __atomic_load_n(&entry->key, __ATOMIC_ACQUIRE);
		uint64_t value = __atomic_load_n(&entry->value, __ATOMIC_ACQUIRE);
		stackdepot_handle_t handle = (stackdepot_handle_t)value;

		if (!key || key & (ENTRY_BUSY | ENTRY_HELD) ||
		    key != __atomic_load_n(&entry->key, __ATOMIC_RELAXED))
			continue;
		ret_object->address = key & ENTRY_ADDRESS;
		ret_object->size = store_entry_size(key, value);
		ret_object->weight =
			stacks_weight(ret_object->size, stackdepot_get_extra_bits(handle));
		handle = stackdepot_set_extra_bits(handle, 0);
		ret_object->trace = handle ? stackdepot_ref(store->depot, handle) : 0;
		return 1;
	}
	return 0;
}

/* Sums by line; the line 0 is for objects without a trace. */
static void stacks_add_objects(struct stackdepot_store *store, struct stackdepot_stack *by_line)
{
	struct stackdepot_object object;
	uint64_t position = 0;

	while (stackdepot_store_next_object(store, &position, &object)) {
		uint32_t line = (uint32_t)object.trace;
		struct stackdepot_stack *stack = &by_line[line <= store->layout.lines ? line : 0];

		stack->trace = stack == by_line ? 0 : object.trace;
		stack->objects += object.weight;
		stack->bytes += object.weight * (double)object.size;
	}
}

static void stacks_add_counters(struct stackdepot_store *store, struct stackdepot_stack *by_line)
{
	const struct store_counter *counters = store_at(store, store->layout.counters_offset);
	uint32_t line;

	for (line = 1; line <= store->layout.lines; line++) {
		struct store_counter counter = counters[line];
		stackdepot_ref_t trace = counter.life << 32 | line;

		if (!counter.allocs || (by_line[line].trace && by_line[line].trace != trace))
			continue;
		by_line[line].trace = trace;
		by_line[line].allocs = (double)counter.allocs / 256;
		by_line[line].alloc_bytes = (double)counter.bytes;
	}
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

int stackdepot_store_stacks(struct stackdepot_store *store, struct stackdepot_stack **ret_stacks,
			    size_t *ret_nr)
{
	struct stackdepot_stack *by_line =
		calloc((size_t)store->layout.lines + 1, sizeof(*by_line));
	size_t line, nr = 0;

	if (!by_line)
		return -ENOMEM;
	stacks_add_objects(store, by_line);
	stacks_add_counters(store, by_line);
	for (line = 0; line <= store->layout.lines; line++)
		if (by_line[line].objects > 0 || by_line[line].allocs > 0)
			by_line[nr++] = by_line[line];
	qsort(by_line, nr, sizeof(*by_line), stacks_compare);
	*ret_stacks = by_line;
	*ret_nr = nr;
	return 0;
}

int stackdepot_store_next_corpus(struct stackdepot_store *store, uint64_t *position,
				 stackdepot_handle_t *ret_handle)
{
	const uint32_t *corpus = store_at(store, store->layout.corpus_offset);
	const struct store_header *header = store->memory;
	uint64_t recorded = __atomic_load_n(&header->counts.corpus_next, __ATOMIC_RELAXED);

	if (*position >= store->corpus_events || *position >= recorded)
		return 0;
	*ret_handle = corpus[(*position)++];
	return 1;
}
