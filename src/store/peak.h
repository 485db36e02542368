/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * peak.h - what was live when a process had the most.
 *
 * Nobody knows a highest point when it is there. But while a process goes up, what is live can
 * still be looked at; and when it begins to go down, little of it is gone. So the table of live
 * objects is added up by trace when a process comes down from a height that is new, by a small
 * part, 1/64; what is freed in that very moment counts. A process that never comes down has its
 * peak in the table at its end.
 *
 *	live ^        x  <- top                  A peak that is less than 1/64 higher than what was
 *	     |    .  / \ <- taken               taken is not taken anew. So the sum by trace is as
 *	     |   / \/   \                       of a moment that has 62/64 of the top at least, but
 *	     |  /        \                      for what threads have not told yet.
 *	     +--------------> time
 *
 * That costs nothing at an event but the bytes that a thread has more or less than it told. How
 * often it is done is bounded by the growth of the peak, not by the number of events; and if it
 * takes too much of the time all the same, as the heap is small and changes fast, steps are 1/16,
 * at last 1/8. How near a peak is, is known, and reported.
 *
 * Sums of two moments are kept, the one that holds and the one that is being taken, so that a kill
 * in the middle leaves the first. Each member of a list holds a reference to its trace.
 */
#ifndef STORE_PEAK_H
#define STORE_PEAK_H

#include "reap.h"

/* Sums by trace on their way: most neighbours in the table have few traces among them. */
#define PEAK_CACHE 512u

struct peak_sum {
	uint32_t handle;
	uint32_t code;	  /* the coarsest */
	uint64_t objects; /* 0: none */
	uint64_t bytes;
};

struct peak_cache {
	struct peak_sum of[PEAK_CACHE];
};

/* An object that is being freed and counts. */
struct peak_object {
	stackdepot_handle_t handle; /* extra bits: rate; 0 with size 0: there is none */
	uint64_t size;
};

struct peak_moment {
	uint32_t slot;
	enum store_peak_of which;
	struct peak_object more;
	uint64_t time_ns;
	bool if_more; /* than was taken before; else that stays */
};

static inline struct store_height *peak_height(const struct reaper *reaper, uint32_t slot)
{
	return (struct store_height *)reap_at(reaper, reaper->layout->heights_offset) + slot;
}

/* The one that holds; nobody vouches for what is in a file. */
static inline struct store_taken *peak_taken(struct store_peak *peak)
{
	return &peak->taken[peak->now & 1];
}

/*
 * Add up what a process has in the table, and let that be what it had at its peak. Who calls is
 * alone with the peaks of this process, or it is gone. Returns how much that was: entries looked
 * at, and as many for each sum as take the same time.
 */
uint64_t peak_take(const struct reaper *reaper, const struct peak_moment *moment,
		   struct peak_cache *cache);
/* Members of no list: who took them was killed. When nobody else is there. */
void peak_sweep(const struct reaper *reaper);
/* The process is gone, and its objects are about to leave the table. */
void peak_settle(const struct reaper *reaper, uint32_t slot);
/* It becomes part of a row, which keeps the highest of its processes; or its slot is needed. */
void peak_merge(const struct reaper *reaper, uint32_t row, uint32_t slot);
void peak_clear(const struct reaper *reaper, uint32_t slot);

#endif
