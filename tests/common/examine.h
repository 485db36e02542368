/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * examine.h - read everything that a depot can be asked for.
 *
 * For depots that may be damaged: nothing is assumed of the answers but that the calls return.
 */
#ifndef TESTS_EXAMINE_H
#define TESTS_EXAMINE_H

#include <stackdepot/stackdepot.h>

static inline void examine_ref(struct stackdepot *depot, stackdepot_ref_t ref)
{
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	struct stackdepot_trace_info info;
	char text[100];

	(void)stackdepot_fetch_ref(depot, ref, frames, STACKDEPOT_MAX_FRAMES);
	(void)stackdepot_fetch_ref(depot, ref, frames, 3);
	(void)stackdepot_fetch(depot, stackdepot_handle(depot, ref), frames, STACKDEPOT_MAX_FRAMES);
	(void)stackdepot_fetch(depot, (stackdepot_handle_t)ref, frames, STACKDEPOT_MAX_FRAMES);
	(void)stackdepot_ref(depot, (stackdepot_handle_t)ref);
	(void)stackdepot_info(depot, ref, &info);
	(void)stackdepot_snprint(depot, ref, text, sizeof(text), 3);
}

/* Returns the traces that iteration found. */
static inline unsigned int examine(struct stackdepot *depot)
{
	struct stackdepot_event event;
	struct stackdepot_stats stats;
	unsigned int nr = 0;
	uint32_t position;
	uint64_t at = 0;
	stackdepot_ref_t ref;

	stackdepot_get_stats(depot, &stats);
	(void)stackdepot_now(depot);
	for (position = 0; (ref = stackdepot_next(depot, &position)); nr++)
		examine_ref(depot, ref);
	for (position = 0; position < 300; position++)
		examine_ref(depot, position);
	while (stackdepot_ring_next(depot, &at, &event)) {
		examine_ref(depot, event.trace);
		examine_ref(depot, event.origin);
	}
	at = 0;
	while (stackdepot_ring_find(depot, &at, 0x1000, 0xf000, &event))
		examine_ref(depot, event.trace);
	return nr;
}

#endif
