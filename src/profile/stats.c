/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stats.c - the figures of a store and of its depot. */
#include "stats.h"

static size_t stats_add(struct stats_row *rows, size_t nr, struct stats_row row)
{
	rows[nr] = row;
	return nr + 1;
}

#define ROW(...) nr = stats_add(rows, nr, (struct stats_row){__VA_ARGS__})

static size_t stats_tool(const struct stackdepot_store_info *info,
			 const struct stackdepot_stats *depot, struct stats_row *rows)
{
	size_t nr = 0;

	ROW("store_bytes", "size of the store, fixed", info->total_bytes, true, false);
	ROW("tool_bytes", "memory besides: threads, guarded objects", info->tool_bytes, true,
	    false);
	ROW("tool_bytes_peak", "and in one process at most", info->tool_bytes_peak, true, false);
	ROW("threads", "threads", info->threads, false, false);
	ROW("threads_peak", "and in one process at most", info->threads_peak, false, false);
	ROW("events", "allocations and frees recorded, up to 15 a thread too many",
	    depot->ring_events, false, false);
	ROW("ring_dropped", "events that missed the ring", depot->ring_dropped, false, true);
	ROW("stackless", "events without a stack", info->stackless, false, true);
	ROW("nested", "events from signal handlers inside events", info->nested, false, true);
	ROW("live_entries", "room for live objects", info->live_entries, false, false);
	ROW("unrecorded", "objects that found no room", info->unrecorded, false, true);
	ROW("sample_bytes", "bytes from sample to sample at most", info->sample_bytes, true, true);
	ROW("sample_now_bytes", "and now", info->sample_now_bytes, true, true);
	ROW("thinnings", "times the live objects were thinned", info->thinnings, false, true);
	ROW("foreign_frees", "frees of objects never seen", info->foreign_frees, false, true);
	ROW("doubts", "what may be an error, seen", info->doubts, false, true);
	ROW("guarded", "objects placed between guard pages", info->guarded, false, false);
	ROW("errors_seen", "errors seen", info->errors_seen, false, false);
	ROW("errors_dropped", "of them without a record", info->errors_dropped, false, true);
	ROW("processes_recorded", "processes, and programs they became", info->processes, false,
	    false);
	ROW("processes_dropped", "more, too many at a time", info->processes_dropped, false, true);
	ROW("modules_dropped", "modules without a record", info->modules_dropped, false, true);
	ROW("heaps_dropped", "processes with heaps that are not seen, without a name",
	    info->heaps_dropped, false, true);
	ROW("messages_dropped", "messages of the recorder that found no room", info->notes_dropped,
	    false, true);
	ROW("programs_dropped", "programs started that found none", info->starts_dropped, false,
	    true);
	return nr;
}

static size_t stats_depot(const struct stackdepot_stats *depot, struct stats_row *rows, size_t nr)
{
	ROW("depot_bytes", "of the store, for traces", depot->mapped_bytes, true, false);
	ROW("depot_used_bytes", "touched so far", depot->used_bytes, true, false);
	ROW("traces_saved", "traces stored", depot->saved, false, false);
	ROW("traces_truncated", "of them cut", depot->truncated, false, true);
	ROW("lines", "room, in lines of 8 frames", depot->lines, false, false);
	ROW("lines_used", "lines used", depot->lines_used, false, false);
	ROW("evictions", "lines evicted", depot->evictions, false, false);
	ROW("leases_broken", "of them while still in the ring", depot->leases_broken, false, true);
	ROW("drops", "traces refused", depot->drops_pinned + depot->drops_no_memory, false, true);
	ROW("chains_cut", "damages by others that were met", depot->chains_cut, false, true);
	return nr;
}

static void stats_add_depot(struct stackdepot_stats *sum, const struct stackdepot_stats *more)
{
	sum->mapped_bytes += more->mapped_bytes;
	sum->used_bytes += more->used_bytes;
	sum->saved += more->saved;
	sum->truncated += more->truncated;
	sum->lines += more->lines;
	sum->lines_used += more->lines_used;
	sum->evictions += more->evictions;
	sum->leases_broken += more->leases_broken;
	sum->drops_pinned += more->drops_pinned;
	sum->drops_no_memory += more->drops_no_memory;
	sum->chains_cut += more->chains_cut;
	sum->ring_events += more->ring_events;
	sum->ring_dropped += more->ring_dropped;
}

size_t stats_rows(const struct profile *profile, struct stats_row rows[STATS_ROWS])
{
	struct stackdepot_stats depot, sum = {0};
	size_t i;

	for (i = 0; i < profile->nr_stores; i++) {
		stackdepot_get_stats(stackdepot_store_depot(profile->stores[i].store), &depot);
		stats_add_depot(&sum, &depot);
	}
	return stats_depot(&sum, rows, stats_tool(&profile->info, &sum, rows));
}
