/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * store-bytes.c - what a store took for each trace and live object, of one that nobody has.
 *
 *	store-bytes STORE
 *
 * Prints "traces N trace-bytes N objects N object-bytes N". The bytes are those of pages that were
 * written to: lines, the heads of their chains, the bits of candidates, counters; the table of
 * live objects with its counts and its marks. Objects are those at the highest point of a process,
 * or what is live now if that is more: entries that are free again are used by others, so no page
 * comes back.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "depot.h"
#include "reader.h"

/* Of whole pages from one place to another; those at the ends count if any byte is not 0. */
static uint64_t bytes_written(const char *from, const char *to)
{
	static const char zeros[STORE_PAGE_BYTES];
	uint64_t bytes = 0;

	for (; from < to; from += STORE_PAGE_BYTES) {
		const size_t left = (size_t)(to - from);
		const size_t nr = left < STORE_PAGE_BYTES ? left : STORE_PAGE_BYTES;

		if (memcmp(from, zeros, nr))
			bytes += STORE_PAGE_BYTES;
	}
	return bytes;
}

static uint64_t section(const struct stackdepot_store *store, uint64_t from, uint64_t to)
{
	return bytes_written(store_at(store, from), store_at(store, to));
}

static uint64_t bytes_of_traces(const struct stackdepot_store *store)
{
	const struct stackdepot *depot = store->depot;

	return section(store, store->layout.counters_offset, store->layout.depot_offset) +
	       bytes_written((const char *)depot->header, (const char *)depot->ring) +
	       bytes_written((const char *)depot->lines,
			     (const char *)(depot->lines + depot->nr_lines + 1));
}

static uint64_t bytes_of_objects(const struct stackdepot_store *store)
{
	const struct store_layout *layout = &store->layout;

	return section(store, layout->live_offset, layout->larges_offset) +
	       section(store, layout->parts_offset, layout->heights_offset);
}

static uint64_t traces(const struct stackdepot_store *store)
{
	uint64_t nr = 0;
	uint32_t i;

	for (i = 1; i <= store->depot->nr_lines; i++) {
		const u64 state = atomic64_read(&store->depot->lines[i].state);

		nr += state & STATE_LIVE && state & STATE_TRACE;
	}
	return nr;
}

static uint64_t objects_now(struct stackdepot_store *store)
{
	struct stackdepot_object object;
	uint64_t position = 0, nr = 0;

	while (stackdepot_store_next_object(store, &position, &object))
		nr++;
	return nr;
}

/* What was taken at the highest point of any process. */
static uint64_t objects_peak(const struct stackdepot_store *store)
{
	const struct store_height *heights = store_at(store, store->layout.heights_offset);
	uint64_t most = 0;
	uint32_t slot;

	for (slot = 0; slot < store->layout.slots; slot++) {
		const struct store_peak *peak = &heights[slot].peaks[STORE_PEAK_LIFE];
		const uint64_t objects = peak->taken[peak->now & 1].objects / 256;

		most = objects > most ? objects : most;
	}
	return most;
}

int main(int argc, char **argv)
{
	struct stackdepot_store *store;
	uint64_t now, peak;

	if (argc != 2 || stackdepot_store_open(argv[1], &store)) {
		fprintf(stderr, "usage: store-bytes STORE\n");
		return 2;
	}
	now = objects_now(store);
	peak = objects_peak(store);
	printf("traces %" PRIu64 " trace-bytes %" PRIu64 " objects %" PRIu64
	       " object-bytes %" PRIu64 "\n",
	       traces(store), bytes_of_traces(store), peak > now ? peak : now,
	       bytes_of_objects(store));
	stackdepot_store_close(store);
	return 0;
}
