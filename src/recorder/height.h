/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* height.h - how much the process has, and its highest point. */
#ifndef HEIGHT_H
#define HEIGHT_H

#include "thread.h"

/* The process has a slot. */
void height_begin(void);
/* It has more threads, or a higher top. */
void height_new_step(void);
/* The process has so much more or less. FREED, or NULL, is what has just left the table. */
void height_tell(int64_t delta, const struct live_object *freed);
/* A process has more or less as its objects stand for more or less than before. */
void height_correct(uint32_t slot, int64_t delta);
uint64_t height_estimate(uint64_t size, unsigned int code);

/* What an object counts. */
static inline uint64_t height_bytes(const struct live_object *object)
{
	const unsigned int code = stackdepot_get_extra_bits(object->handle);

	return likely(!code) ? object->size : height_estimate(object->size, code);
}

static inline void height_count(struct recorder_thread *thread, int64_t delta,
				const struct live_object *freed)
{
	struct store_tally_set *own = thread ? thread->tallies : NULL;
	const int64_t step = load_relaxed(&recorder.height_step);

	if (likely(own)) {
		delta += own->live_bytes;
		if (likely(delta < step && delta > -step)) {
			store_relaxed(&own->live_bytes, delta);
			return;
		}
		store_relaxed(&own->live_bytes, 0);
	}
	height_tell(delta, freed);
}

static inline void height_up(struct recorder_thread *thread, const struct live_object *object)
{
	height_count(thread, (int64_t)height_bytes(object), NULL);
}

/* Before the allocator has it. */
static inline void height_down(struct recorder_thread *thread, const struct live_object *object)
{
	height_count(thread, -(int64_t)height_bytes(object), object);
}

#endif
