/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The depots that are measured. */
#ifndef BENCH_OURS_H
#define BENCH_OURS_H

#include <stackdepot/stackdepot.h>

#include "workload.h"

/* Ticks a trace is leased for where the clock runs: as with a ring. */
#define OURS_LEASE_TICKS STACKDEPOT_RING_LEASE_TICKS

/*
 * ours_fit() - the smallest number of lines, and its bytes, that hold all traces of a corpus.
 *
 * Counted with room for plenty, then tried.
 * Return: 0, or -1 after a line on standard error.
 */
int ours_fit(const struct workload *workload, uint32_t *ret_lines, uint64_t *ret_bytes);

/* ours_create() - a depot of @max_bytes, or NULL after a line on standard error. */
struct stackdepot *ours_create(uint64_t max_bytes, uint32_t lease_ticks, uint64_t seed);

/* ours_fill() - save all traces, @flags as stackdepot_save(); handles by number, NULL for none. */
int ours_fill(struct stackdepot *depot, const struct workload *workload, unsigned int flags,
	      stackdepot_handle_t *handles);

#endif
