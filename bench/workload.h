/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A corpus prepared for replay, so that the timed loops do nothing but save. */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <stdint.h>

#include "corpus.h"

struct trace {
	const uintptr_t *frames;
	uint32_t nr;
};

/**
 * struct workload - a corpus and what is computed from it.
 * @name:      of the corpus.
 * @events:    events to replay; fewer than the corpus has in a quick run.
 * @traces:    the unique traces, by their number.
 * @order:     their numbers in order of first use, those never used last.
 * @hottest:   their numbers, most used first.
 * @unchanged: for each event, outermost frames it shares with the event before; what an unwinder
 *             that verifies its previous walk knows.
 */
struct workload {
	char name[64];
	struct corpus corpus;
	uint32_t events;
	struct trace *traces;
	uint32_t *order;
	uint32_t *hottest;
	uint8_t *unchanged;
};

/* workload_init() - takes over @corpus; 0, or -1 without memory. */
int workload_init(struct workload *workload, const char *path, struct corpus *corpus,
		  uint32_t max_events);

void workload_free(struct workload *workload);

static inline const struct trace *workload_event(const struct workload *workload, uint32_t i)
{
	return &workload->traces[workload->corpus.event[i]];
}

#endif
