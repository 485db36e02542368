/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * holders.c - of a store that nobody has: lines that are nobody's, and references without a holder.
 *
 * Counted here by itself, from what the file holds, not by the code that repairs it. Prints
 * "lines N lost N excess N missing N repaired N processes N", status 1 if a line was lost or a
 * reference has no holder, or a holder no reference.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "depot.h"
#include "reader.h"

struct holders {
	struct stackdepot_store *store;
	uint32_t *held;
	uint64_t lost, excess, missing;
};

static struct depot_line *holders_line(const struct holders *holders, uint32_t number)
{
	return &holders->store->depot->lines[number];
}

static void holders_add(struct holders *holders, stackdepot_ref_t trace)
{
	const uint32_t line = (uint32_t)trace;

	if (!line || line > holders->store->depot->nr_lines)
		return;
	if (link_generation(atomic64_read(&holders_line(holders, line)->link)) == trace >> 32)
		holders->held[line]++;
}

static void holders_entries(struct holders *holders)
{
	const struct store_layout *layout = &holders->store->layout;
	const struct store_bucket *buckets = store_at(holders->store, layout->live_offset);
	uint32_t i, j;

	for (i = 0; i < layout->buckets; i++)
		for (j = 0; j < STORE_BUCKET_ENTRIES; j++) {
			const struct store_entry *entry = &buckets[i].entry[j];
			stackdepot_handle_t handle =
				stackdepot_set_extra_bits((stackdepot_handle_t)entry->value, 0);

			if (entry->key && handle)
				holders_add(holders, stackdepot_ref(holders->store->depot, handle));
		}
}

static void holders_errors(struct holders *holders)
{
	const struct store_layout *layout = &holders->store->layout;
	const struct store_error *errors = store_at(holders->store, layout->errors_offset);
	uint32_t i;

	for (i = 0; i < layout->errors; i++) {
		holders_add(holders, errors[i].access_trace);
		holders_add(holders, errors[i].alloc_trace);
		holders_add(holders, errors[i].free_trace);
	}
}

static void holders_peaks(struct holders *holders)
{
	const struct store_layout *layout = &holders->store->layout;
	const struct store_peak_stack *stacks =
		store_at(holders->store, layout->peak_stacks_offset);
	uint32_t i;

	for (i = 0; i < layout->peak_stacks; i++)
		if (stacks[i].owner)
			holders_add(holders, stacks[i].trace);
}

static void holders_tallies(struct holders *holders)
{
	const struct store_layout *layout = &holders->store->layout;
	const struct store_tally_set *sets = store_at(holders->store, layout->tallies_offset);
	uint32_t i, j;

	for (i = 0; i < layout->tally_sets; i++)
		for (j = 0; j < STORE_TALLIES; j++)
			if (sets[i].tally[j].trace)
				holders->missing++; /* nobody has it */
}

static void holders_children(struct holders *holders, uint32_t used)
{
	uint32_t number;

	for (number = 1; number <= used; number++) {
		const uint64_t state = atomic64_read(&holders_line(holders, number)->state);

		if (state & STATE_LIVE)
			holders->held[state_parent(state)]++;
	}
}

static void holders_compare(struct holders *holders, uint32_t used)
{
	uint32_t number;

	for (number = 1; number <= used; number++) {
		const uint64_t state = atomic64_read(&holders_line(holders, number)->state);
		const uint32_t references = state_references(state);

		holders->lost += !state;
		if (!(state & STATE_LIVE))
			continue;
		if (references > holders->held[number])
			holders->excess += references - holders->held[number];
		else
			holders->missing += holders->held[number] - references;
	}
}

int main(int argc, char **argv)
{
	struct holders holders = {0};
	const struct store_header *header;
	struct stackdepot_store_info info;
	uint32_t used;

	if (argc != 2 || stackdepot_store_open(argv[1], &holders.store)) {
		fprintf(stderr, "usage: holders STORE\n");
		return 2;
	}
	header = holders.store->memory;
	used = holders.store->depot->header->fresh;
	holders.held = calloc((size_t)holders.store->depot->nr_lines + 1, sizeof(*holders.held));
	if (!holders.held)
		return 2;
	holders_entries(&holders);
	holders_errors(&holders);
	holders_peaks(&holders);
	holders_tallies(&holders);
	holders_children(&holders, used);
	holders_compare(&holders, used);
	stackdepot_store_get_info(holders.store, &info);
	printf("lines %u lost %" PRIu64 " excess %" PRIu64 " missing %" PRIu64 " repaired %" PRIu64
	       " processes %u check %d\n",
	       used, holders.lost, holders.excess, holders.missing, header->totals.repaired,
	       info.processes, stackdepot_check(holders.store->depot));
	free(holders.held);
	stackdepot_store_close(holders.store);
	return holders.lost || holders.excess || holders.missing;
}
