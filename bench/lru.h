/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What exact LRU would have kept: the yardstick for the depot's eviction.
 *
 * It gets the same storage: lines of 8 frames grouped from the root, shared between traces with
 * equal outer frames. A new trace evicts the least recently used traces until its missing lines
 * fit; an interior line goes with the last line under it.
 */
#ifndef BENCH_LRU_H
#define BENCH_LRU_H

#include <stdint.h>

#include "workload.h"

struct lru_result {
	uint64_t hits;
	uint64_t evictions;  /* traces */
	uint64_t refused;    /* traces with more lines than there are */
	uint32_t tree_lines; /* lines all traces of the corpus need together */
};

/* lru_simulate() - replay the events through @lines lines; 0, or -1 without memory. */
int lru_simulate(const struct workload *workload, uint32_t lines, struct lru_result *ret_result);

#endif
