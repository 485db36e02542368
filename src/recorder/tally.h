/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* tally.h - what a thread counts of a trace before others see it. */
#ifndef RECORDER_TALLY_H
#define RECORDER_TALLY_H

#include "thread.h"
#include "trace.h"

#define TALLY_MAX 64u	   /* references that are enough */
#define TALLY_STRANGERS 8u /* of so many traces without a tally one gets one */

void tally_begin(struct recorder_thread *thread);
/* At an event of a thread that has none: try again, now and then. */
void tally_again(struct recorder_thread *thread);
void tally_end(struct recorder_thread *thread);
/* Let a trace have the place. False if it is not there any more. */
bool tally_enter(struct store_tally *tally, stackdepot_ref_t trace);
void tally_refill(struct store_tally *tally);
void tally_spare(struct store_tally *tally);

static inline struct store_tally *tally_place(const struct recorder_thread *thread,
					      stackdepot_handle_t handle)
{
	return &thread->tallies->tally[handle * 0x9e3779b1u >> 24];
}

/* Count an allocation of `bytes`, times `weight` / 256. */
static inline void trace_count(const struct recorder_thread *thread, stackdepot_handle_t handle,
			       stackdepot_ref_t ref, uint64_t bytes, uint64_t weight)
{
	if (unlikely(weight != 256))
		bytes = bytes * weight / 256;
	if (likely(thread && thread->tallies)) {
		struct store_tally *tally = tally_place(thread, handle);

		if (likely(tally->trace == ref && ref)) {
			store_relaxed(&tally->allocs, tally->allocs + weight);
			store_relaxed(&tally->bytes, tally->bytes + bytes);
			return;
		}
	}
	trace_add(ref, weight, bytes);
}

/* The trace of a handle that an object has a reference by; extra bits 0. */
static inline stackdepot_ref_t trace_of(const struct recorder_thread *thread,
					stackdepot_handle_t handle)
{
	if (likely(thread && thread->tallies)) {
		const struct store_tally *tally = tally_place(thread, handle);

		if (likely(tally->handle == handle))
			return tally->trace;
	}
	return stackdepot_ref(recorder.depot, handle);
}

/* trace_of() and trace_put() will be called: what they read comes meanwhile. */
static inline void trace_prefetch(const struct recorder_thread *thread, stackdepot_handle_t handle)
{
	handle = stackdepot_set_extra_bits(handle, 0);
	if (!thread || !thread->tallies || tally_place(thread, handle)->handle != handle)
		stackdepot_prefetch(recorder.depot, handle);
}

/* Give an object's reference back. */
static inline void trace_put(const struct recorder_thread *thread, stackdepot_handle_t handle)
{
	handle = stackdepot_set_extra_bits(handle, 0);
	if (likely(thread && thread->tallies)) {
		struct store_tally *tally = tally_place(thread, handle);

		if (likely(tally->handle == handle && handle)) {
			if (unlikely(tally->references++ == TALLY_MAX))
				tally_spare(tally);
			return;
		}
	}
	stackdepot_put_bulk(recorder.depot, stackdepot_ref(recorder.depot, handle), 1);
}

#endif
