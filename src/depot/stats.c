// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "index.h"

static u64 stats_counter(const struct depot_header *header, enum depot_counter counter)
{
	return atomic64_read(&header->counters[counter]);
}

void depot_get_stats(struct stackdepot *depot, struct stackdepot_stats *ret_stats)
{
	struct depot_header *header = depot->header;
	u32 fresh = READ_ONCE(header->fresh);
	u32 unused = fresh < depot->nr_lines ? depot->nr_lines - fresh : 0;
	u64 mapped = depot_footprint(&depot->geometry);

	*ret_stats = (struct stackdepot_stats){
		.max_bytes = depot->geometry.max_bytes,
		.mapped_bytes = mapped,
		.used_bytes = mapped - DEPOT_LINE_BYTES * unused -
			      sizeof(atomic64_t) * (depot->nr_buckets - index_buckets(depot)),
		.ring_bytes = (u64)sizeof(struct depot_ring_entry) * depot->ring_entries,
		.lines = depot->nr_lines,
		.lines_used = fresh,
		.buckets = index_buckets(depot),
		.saved = stats_counter(header, COUNT_SAVED),
		.truncated = stats_counter(header, COUNT_TRUNCATED),
		.lines_added = stats_counter(header, COUNT_LINES_ADDED),
		.evictions = stats_counter(header, COUNT_EVICTIONS),
		.leases_broken = stats_counter(header, COUNT_LEASES_BROKEN),
		.duplicates = stats_counter(header, COUNT_DUPLICATES),
		.saturated = stats_counter(header, COUNT_SATURATED),
		.drops_pinned = stats_counter(header, COUNT_DROPS_PINNED),
		.drops_no_evict = stats_counter(header, COUNT_DROPS_NO_EVICT),
		.drops_no_memory = stats_counter(header, COUNT_DROPS_NO_MEMORY),
		.ring_events = atomic64_read(&header->ring_position) -
			       stats_counter(header, COUNT_RING_UNUSED),
		.ring_dropped = stats_counter(header, COUNT_RING_DROPPED),
		.ring_stale = stats_counter(header, COUNT_RING_STALE),
		.chains_cut = stats_counter(header, COUNT_CHAINS_CUT),
	};
}
