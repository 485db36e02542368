/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * layout.c - how a store of a given size is divided.
 *
 * A quarter goes to the live objects, up to 1/16 to the ring, a bit less to processes and what
 * their threads have, little to modules and errors, and all the rest to traces, with a counter for
 * each.
 */
#include <errno.h>
#include <string.h>

#include "format.h"
#include "module_table.h"
#include "stackdepot/store.h"

#define ERRORS 256u
#define MIN_MODULES 64u
#define MAX_MODULES STACKDEPOT_FRAME_MODULES
#define MIN_RING_ENTRIES 1024u
#define MIN_SLOTS 64u
#define SLOT_SHARE 16384u /* bytes of the store for one */
#define MIN_LEFTS 256u
#define MAX_LEFTS (1u << 20)
#define LEFT_SHARE 2048u
#define MIN_PEAK_STACKS 512u
#define MAX_PEAK_STACKS (1u << 20)
#define PEAK_SHARE 2048u
#define MIN_TALLY_SETS 2u
#define TALLY_SHARE (512u << 10)
#define MAX_RING_ENTRIES (1u << 22)
#define EVENT_BYTES 64u

static uint64_t layout_align(uint64_t bytes)
{
	return (bytes + STORE_PAGE_BYTES - 1) & ~(uint64_t)(STORE_PAGE_BYTES - 1);
}

static uint32_t layout_clamp(uint64_t value, uint32_t low, uint32_t high)
{
	return value < low ? low : value > high ? high : (uint32_t)value;
}

static uint32_t layout_ring(uint64_t total_bytes)
{
	uint32_t want =
		layout_clamp(total_bytes / 16 / EVENT_BYTES, MIN_RING_ENTRIES, MAX_RING_ENTRIES);
	uint32_t entries = MIN_RING_ENTRIES;

	while (entries * 2 <= want)
		entries *= 2;
	return entries;
}

/* Place the module table; where it ends. The index has at most half of its slots in use. */
static uint64_t layout_modules(struct store_layout *layout, uint64_t offset)
{
	layout->index_slots = 2;
	while (layout->index_slots < 2 * layout->modules)
		layout->index_slots *= 2;
	layout->dropped_offset = offset;
	layout->index_offset = layout->dropped_offset + sizeof(struct store_dropped);
	layout->modules_offset =
		layout_align(layout->index_offset + layout->index_slots * sizeof(uint16_t));
	return layout->modules_offset + layout->modules * sizeof(struct store_module);
}

/* Place counters and depot of `lines` lines; the end of the file they need. */
static uint64_t layout_traces(struct store_layout *layout, uint32_t lines)
{
	const struct stackdepot_options options = {.ring_entries = layout->ring_entries};

	layout->lines = lines;
	layout->depot_offset = layout_align(layout->counters_offset +
					    ((uint64_t)lines + 1) * sizeof(struct store_counter));
	layout->depot_bytes = stackdepot_bytes_for(lines, &options) - STORE_PAGE_BYTES;
	return layout->depot_offset + layout->depot_bytes;
}

static int layout_fit_traces(struct store_layout *layout, uint64_t total_bytes)
{
	uint32_t low = 0, high = STACKDEPOT_MAX_LINES;

	while (low < high) {
		uint32_t middle = low + (high - low + 1) / 2;

		if (layout_traces(layout, middle) <= total_bytes)
			low = middle;
		else
			high = middle - 1;
	}
	if (!low)
		return -EINVAL;
	(void)layout_traces(layout, low);
	return 0;
}

static void layout_numbers(struct store_layout *layout, uint64_t total_bytes)
{
	layout->slots = layout_clamp(total_bytes / SLOT_SHARE, MIN_SLOTS, STORE_MAX_SLOTS);
	layout->modules = layout_clamp(total_bytes / 128 / sizeof(struct store_module), MIN_MODULES,
				       MAX_MODULES);
	layout->errors = ERRORS;
	layout->buckets = layout_clamp(total_bytes / 4 / STORE_PAGE_BYTES, 1,
				       (1u << 30) / STORE_PAGE_BUCKETS) *
			  STORE_PAGE_BUCKETS;
	while ((layout->buckets - 1) >> layout->part_shift >= STORE_PARTS)
		layout->part_shift++;
	layout->lefts = layout_clamp(total_bytes / LEFT_SHARE, MIN_LEFTS, MAX_LEFTS);
	layout->peak_stacks =
		layout_clamp(total_bytes / PEAK_SHARE, MIN_PEAK_STACKS, MAX_PEAK_STACKS);
	/* what they may hold is a small part of the lines */
	layout->tally_sets =
		layout_clamp(total_bytes / TALLY_SHARE, MIN_TALLY_SETS, STORE_MAX_TALLY_SETS);
	layout->ring_entries = layout_ring(total_bytes);
}

/* The section behind one of so many bytes. */
static uint64_t layout_next(uint64_t offset, uint64_t nr, size_t bytes)
{
	return layout_align(offset + nr * bytes);
}

static void layout_offsets(struct store_layout *layout, uint64_t corpus_events)
{
	layout->processes_offset = STORE_HEAD_BYTES;
	layout->parts_offset =
		layout_next(layout->processes_offset, layout->slots, sizeof(struct store_process));
	layout->heights_offset =
		layout_next(layout->parts_offset, layout->slots, sizeof(struct store_parts));
	layout->errors_offset = layout_align(
		layout_modules(layout, layout_next(layout->heights_offset, layout->slots,
						   sizeof(struct store_height))));
	layout->corpus_offset =
		layout_next(layout->errors_offset, layout->errors, sizeof(struct store_error));
	layout->live_offset = layout_next(layout->corpus_offset, corpus_events, sizeof(uint32_t));
	layout->overflow_offset =
		layout_next(layout->live_offset, layout->buckets, sizeof(struct store_bucket));
	layout->larges_offset =
		layout_next(layout->overflow_offset, layout->buckets, sizeof(uint8_t));
	layout->lefts_offset =
		layout_next(layout->larges_offset, STORE_LARGES, sizeof(struct store_large));
	layout->peak_stacks_offset =
		layout_next(layout->lefts_offset, layout->lefts, sizeof(struct store_left));
	layout->tallies_offset = layout_next(layout->peak_stacks_offset, layout->peak_stacks,
					     sizeof(struct store_peak_stack));
	layout->counters_offset = layout_next(layout->tallies_offset, layout->tally_sets,
					      sizeof(struct store_tally_set));
}

int store_plan(uint64_t total_bytes, uint64_t corpus_events, struct store_layout *ret_layout)
{
	struct store_layout layout;
	int error;

	memset(&layout, 0, sizeof(layout));
	if (total_bytes < STORE_MIN_BYTES || total_bytes > STORE_MAX_BYTES ||
	    total_bytes % STORE_PAGE_BYTES || corpus_events > total_bytes / 8)
		return -EINVAL;
	layout_numbers(&layout, total_bytes);
	layout_offsets(&layout, corpus_events);
	error = layout_fit_traces(&layout, total_bytes);
	if (!error)
		*ret_layout = layout;
	return error;
}
