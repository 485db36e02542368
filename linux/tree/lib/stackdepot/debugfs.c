// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* debugfs.c - debugfs' stackdepot/stats: what the depot has, had to do, and had to refuse. */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/seq_file.h>

#include "glue.h"
#include "memory.h"

static void stats_show_counter(struct seq_file *seq, const char *name, u64 value)
{
	seq_printf(seq, "%s: %llu\n", name, value);
}

static int stats_show(struct seq_file *seq, void *v)
{
	struct stackdepot *depot = glue_depot();
	struct stackdepot_stats stats;
	u32 reserve, reserve_wanted;

	stats_show_counter(seq, "drops_early", glue_drops_early());
	if (!depot)
		return 0;
	depot_get_stats(depot, &stats);
	stats_show_counter(seq, "max_bytes", glue_max_bytes());
	stats_show_counter(seq, "bytes", glue_bytes());
	stats_show_counter(seq, "lines", stats.lines);
	stats_show_counter(seq, "lines_used", stats.lines_used);
	stats_show_counter(seq, "buckets", stats.buckets);
	reserve = depot_reserve(depot, &reserve_wanted);
	stats_show_counter(seq, "reserve", reserve);
	stats_show_counter(seq, "reserve_wanted", reserve_wanted);
	stats_show_counter(seq, "saved", stats.saved);
	stats_show_counter(seq, "truncated", stats.truncated);
	stats_show_counter(seq, "lines_added", stats.lines_added);
	stats_show_counter(seq, "evictions", stats.evictions);
	stats_show_counter(seq, "leases_broken", stats.leases_broken);
	stats_show_counter(seq, "duplicates", stats.duplicates);
	stats_show_counter(seq, "saturated", stats.saturated);
	stats_show_counter(seq, "chains_cut", stats.chains_cut);
	stats_show_counter(seq, "drops_pinned", stats.drops_pinned);
	stats_show_counter(seq, "drops_no_memory", stats.drops_no_memory);
	stats_show_counter(seq, "drops_nmi", glue_drops_nmi());
	stats_show_counter(seq, "drops_counters", glue_drops_counters());
	stats_show_counter(seq, "clock", depot_now(depot));
	glue_show_top(seq, depot);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int __init stats_init(void)
{
	struct dentry *directory = debugfs_create_dir("stackdepot", NULL);

	debugfs_create_file("stats", 0444, directory, NULL, &stats_fops);
	return 0;
}
late_initcall(stats_init);
