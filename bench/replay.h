/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The timed loops. Inlined with the operation into each of their users, so that every depot is
 * called the same way, by one call a save.
 */
#ifndef BENCH_REPLAY_H
#define BENCH_REPLAY_H

#include "clock.h"
#include "workload.h"

#define REPLAY_INLINE static inline __attribute__((__always_inline__))

/* An operation on the trace of event @i. */
typedef void (*replay_op)(void *context, uint32_t i, const struct trace *trace);

/* Every event in order; ns per event. */
REPLAY_INLINE double replay_events(const struct workload *workload, replay_op op, void *context)
{
	uint64_t start = clock_thread_ns();
	uint32_t i;

	for (i = 0; i < workload->events; i++)
		op(context, i, workload_event(workload, i));
	return (double)(clock_thread_ns() - start) / workload->events;
}

/* Every unique trace once, @i being its number; ns per trace. */
REPLAY_INLINE double replay_unique(const struct workload *workload, replay_op op, void *context)
{
	uint64_t start = clock_thread_ns();
	uint32_t i, trace;

	for (i = 0; i < workload->corpus.unique; i++) {
		trace = workload->order[i];
		op(context, trace, &workload->traces[trace]);
	}
	return (double)(clock_thread_ns() - start) / workload->corpus.unique;
}

#endif
