/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * recount.c - references and lines that are nobody's.
 *
 * Who is killed between taking a reference and writing down what it is for leaves one more than
 * there are holders. When nobody else has the store all holders can be counted: entries of the
 * table of live objects, errors, and what was live at peaks. Threads' tallies were given back when
 * their process was closed.
 */
#include <sys/mman.h>

#include "peak.h"

/* A reference to a trace that is still there. */
static void recount_add(const struct reaper *reaper, uint32_t *held, stackdepot_ref_t trace)
{
	const uint32_t line = (uint32_t)trace;
	uintptr_t frame;

	if (line && line <= reaper->layout->lines &&
	    stackdepot_fetch_ref(reaper->depot, trace, &frame, 1) > 0)
		held[line]++;
}

/* One that was being filled has no trace yet that anybody could know of. */
static uint64_t recount_entry(const struct reaper *reaper, struct store_entry *entry,
			      uint32_t *held)
{
	const stackdepot_handle_t handle =
		stackdepot_set_extra_bits((stackdepot_handle_t)entry->value, 0);

	if (!entry->key)
		return 0;
	if (entry->key & ENTRY_BUSY) {
		entry->key = 0;
		return 0;
	}
	if (handle)
		recount_add(reaper, held, stackdepot_ref(reaper->depot, handle));
	return !(entry->key & ENTRY_HELD) && !store_is_mapping(entry->key);
}

/* Has anybody ever written to this part of the table? */
static bool recount_is_used(const struct reaper *reaper, uint32_t part)
{
	const struct store_parts *parts = reap_at(reaper, reaper->layout->parts_offset);
	uint32_t slot;

	for (slot = 0; slot < reaper->layout->slots; slot++)
		if (parts[slot].bits[part / 64] >> part % 64 & 1)
			return true;
	return false;
}

static uint64_t recount_entries(const struct reaper *reaper, uint32_t *held)
{
	struct store_bucket *buckets = reap_at(reaper, reaper->layout->live_offset);
	const uint32_t shift = reaper->layout->part_shift;
	uint32_t bucket, i;
	uint64_t live = 0;

	for (bucket = 0; bucket < reaper->layout->buckets; bucket++) {
		if (!(bucket & ((1u << shift) - 1)) && !recount_is_used(reaper, bucket >> shift)) {
			bucket += (1u << shift) - 1;
			continue;
		}
		for (i = 0; i < STORE_BUCKET_ENTRIES; i++)
			live += recount_entry(reaper, &buckets[bucket].entry[i], held);
	}
	return live;
}

static void recount_peaks(const struct reaper *reaper, uint32_t *held)
{
	const struct store_peak_stack *stacks = reap_at(reaper, reaper->layout->peak_stacks_offset);
	uint32_t i;

	peak_sweep(reaper);
	for (i = 0; i < reaper->layout->peak_stacks; i++)
		if (stacks[i].owner)
			recount_add(reaper, held, stacks[i].trace);
}

static void recount_errors(const struct reaper *reaper, uint32_t *held)
{
	const struct store_error *errors = reap_at(reaper, reaper->layout->errors_offset);
	uint32_t i, j;

	for (i = 0; i < reaper->layout->errors; i++) {
		if (!errors[i].kind)
			continue;
		recount_add(reaper, held, errors[i].access_trace);
		recount_add(reaper, held, errors[i].alloc_trace);
		recount_add(reaper, held, errors[i].free_trace);
		for (j = 0; j < errors[i].nr_candidates && j < STORE_CANDIDATES; j++) {
			recount_add(reaper, held, errors[i].candidates[j].alloc_trace);
			recount_add(reaper, held, errors[i].candidates[j].free_trace);
		}
	}
}

uint32_t reap_recount(struct reaper *reaper)
{
	const size_t bytes = ((size_t)reaper->layout->lines + 1) * sizeof(uint32_t);
	struct store_totals *totals = &reaper->header->totals;
	uint32_t *held, nr;

	if (!totals->uncertain)
		return 0;
	held = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (held == MAP_FAILED)
		return 0;
	totals->live_objects = recount_entries(reaper, held);
	recount_errors(reaper, held);
	recount_peaks(reaper, held);
	nr = stackdepot_recount(reaper->depot, held);
	(void)munmap(held, bytes);
	totals->repaired += nr;
	totals->uncertain = 0;
	return nr;
}
