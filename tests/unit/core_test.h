/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * core_test.h - the words that core_*.c are written in, on those of core_host.h: cmocka here, KUnit
 * in a kernel. Those files use nothing else beside the core's interface and trace.h.
 */
#ifndef TESTS_CORE_TEST_H
#define TESTS_CORE_TEST_H

#include "core_host.h"
#include "trace.h"

#define CORE_COUNT(array) ((unsigned int)(sizeof(array) / sizeof(*(array))))

/* A depot of at most `lines` lines, a fixed seed and the given length of a lease. */
static inline struct stackdepot *core_depot(core_test *test, unsigned int lines,
					    unsigned int buckets, unsigned int lease_ticks)
{
	struct stackdepot_options options = {.lines = lines, .buckets = buckets, .seed = 1};
	struct stackdepot *depot = NULL;

	options.max_bytes = depot_bytes_for(lines, &options);
	options.max_frames = STACKDEPOT_MAX_FRAMES;
	options.lease_ticks = lease_ticks;
	CORE_EQ(depot_create(&options, &depot), 0);
	return depot;
}

static inline struct stackdepot_stats core_stats(struct stackdepot *depot)
{
	struct stackdepot_stats stats;

	depot_get_stats(depot, &stats);
	return stats;
}

/* Save one frame, a trace of one line. */
static inline u32 core_save1(struct stackdepot *depot, uintptr_t frame, unsigned int flags)
{
	return depot_save(depot, &frame, 1, flags);
}

#define CORE_OWN_FRAMES (8 * TRACE_LINE)

/* Save `nr` frames that nobody else saves, made from `key`. */
static inline u32 core_save_own(struct stackdepot *depot, uintptr_t key, unsigned int nr,
				unsigned int flags)
{
	uintptr_t frames[CORE_OWN_FRAMES];
	unsigned int i;

	for (i = 0; i < nr; i++)
		frames[i] = TRACE_NEAR(key << 8 | i);
	return depot_save(depot, frames, nr, flags);
}

/* Is what core_save_own() saved there, frame by frame? */
static inline bool core_has_own(struct stackdepot *depot, u64 ref, uintptr_t key, unsigned int nr)
{
	uintptr_t frames[CORE_OWN_FRAMES];
	unsigned int i;

	if (depot_fetch_ref(depot, ref, frames, CORE_OWN_FRAMES) != (int)nr)
		return false;
	for (i = 0; i < nr; i++)
		if (frames[i] != TRACE_NEAR(key << 8 | i))
			return false;
	return true;
}

static inline void core_expect(core_test *test, struct stackdepot *depot, u32 handle,
			       const uintptr_t *frames, unsigned int nr)
{
	static uintptr_t fetched[STACKDEPOT_MAX_FRAMES];

	memset(fetched, 0, sizeof(fetched));
	CORE_EQ(depot_fetch(depot, handle, fetched, STACKDEPOT_MAX_FRAMES), nr);
	CORE_EQ(memcmp(fetched, frames, nr * sizeof(*frames)), 0);
}

/* Lines not pinned by anything: how many one-line traces can be pinned at once. */
static inline unsigned int core_count_free(struct stackdepot *depot, uintptr_t key)
{
	unsigned int i, nr = 0;

	while (core_save1(depot, key << 20 | nr, STACKDEPOT_GET))
		nr++;
	for (i = 0; i < nr; i++)
		(void)depot_put(depot, core_save1(depot, key << 20 | i, 0));
	return nr;
}

static inline void core_finish(core_test *test, struct stackdepot *depot)
{
	CORE_EQ(depot_check(depot), 0);
	depot_destroy(depot);
}

#endif
