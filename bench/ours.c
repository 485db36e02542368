/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "ours.h"

#include <stdio.h>
#include <string.h>

#include "measure.h"

struct stackdepot *ours_create(uint64_t max_bytes, uint32_t lease_ticks, uint64_t seed)
{
	struct stackdepot_options options = {
		.max_bytes = max_bytes,
		.max_frames = MEASURE_MAX_FRAMES,
		.lease_ticks = lease_ticks,
		.seed = seed,
	};
	struct stackdepot *depot = NULL;
	int error = stackdepot_create(&options, &depot);

	if (error)
		fprintf(stderr, "stackdepot-bench: a depot of %llu bytes: %s\n",
			(unsigned long long)max_bytes, strerror(-error));
	return depot;
}

int ours_fill(struct stackdepot *depot, const struct workload *workload, unsigned int flags,
	      stackdepot_handle_t *handles)
{
	stackdepot_handle_t handle;
	const struct trace *trace;
	uint32_t i;

	for (i = 0; i < workload->corpus.unique; i++) {
		trace = &workload->traces[workload->order[i]];
		handle = stackdepot_save(depot, trace->frames, trace->nr, flags);
		if (!handle)
			return -1;
		if (handles)
			handles[workload->order[i]] = handle;
	}
	return 0;
}

/* Lines used by all traces with room for plenty: a line a frame is more than can be needed. */
static uint32_t ours_count_lines(const struct workload *workload)
{
	uint64_t plenty = workload->corpus.total_frames + 64;
	struct stackdepot_stats stats;
	struct stackdepot *depot;
	int ret;

	if (plenty > STACKDEPOT_MAX_LINES)
		plenty = STACKDEPOT_MAX_LINES;
	depot = ours_create(stackdepot_bytes_for((uint32_t)plenty, NULL), 0, 0);
	if (!depot)
		return 0;
	ret = ours_fill(depot, workload, 0, NULL);
	stackdepot_get_stats(depot, &stats);
	stackdepot_destroy(depot);
	return ret ? 0 : (uint32_t)stats.lines_used;
}

static int ours_fits(const struct workload *workload, uint64_t max_bytes, uint64_t *ret_bytes)
{
	struct stackdepot *depot = ours_create(max_bytes, 0, 0);
	struct stackdepot_stats stats;
	int ret;

	if (!depot)
		return -1;
	ret = ours_fill(depot, workload, STACKDEPOT_NO_EVICT, NULL);
	stackdepot_get_stats(depot, &stats);
	stackdepot_destroy(depot);
	*ret_bytes = stats.mapped_bytes - stats.ring_bytes;
	return ret;
}

/*
 * The count should fit at once. Should it not, the size that is reported is the one that does: in
 * steps of a hundredth.
 */
int ours_fit(const struct workload *workload, uint32_t *ret_lines, uint64_t *ret_bytes)
{
	uint32_t lines = ours_count_lines(workload);
	unsigned int attempt;

	for (attempt = 0; lines && attempt < 100; attempt++) {
		if (!ours_fits(workload, stackdepot_bytes_for(lines, NULL), ret_bytes)) {
			*ret_lines = lines;
			return 0;
		}
		lines += lines / 100 + 1;
	}
	return measure_failed(workload, "no size was found that holds all its traces");
}
