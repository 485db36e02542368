/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * height.c - how much the process has, and when it begins to come down from where it had the most.
 *
 * Each thread keeps what it has more or less than it told, in its tallies; when that is as much as
 * a step, it tells, and looks whether the process has more than ever, or less by so much that it is
 * time to add up what it had (store/peak.h). A step is the smaller the more threads there are, so
 * that all of them together know of 1/256 too little at most.
 *
 * (a) live_bytes of the process and of all threads' tallies add up to what is in its entries of the
 *     table, but for events that are under way.
 * (b) What is freed is told before the allocator has it, with the object at hand. So however large
 *     it is, it counts in what is taken.
 * (c) One thread at a time takes. Others go on meanwhile; what they allocate until it is taken is
 *     noted, as sums by trace may be wrong by that.
 */
#include <string.h>

#include "height.h"
#include "live_table.h"
#include "peak.h"
#include "recorder.h"
#include "weight.h"

#define HEIGHT_LEAST_STEP 1024u /* bytes; less, and each event would write what others write */
#define HEIGHT_SHARE_SHIFT 8u
#define HEIGHT_FINE 6u			  /* a 64th is come down from, and worth to take */
#define HEIGHT_FREE_NS 1000000u		  /* of a process may be spent in taking */
#define HEIGHT_ENTRIES_A_MS 800000u	  /* are looked at, more or less */
#define HEIGHT_PATIENCE_NS 10000000000ull /* for who takes, and may have left it by longjmp() */

static uint64_t height_taking; /* since when; 0: nobody does */
static uint64_t height_spent_ns;
static struct peak_cache height_cache;

void height_new_step(void)
{
	const uint64_t top = load_relaxed(&recorder.height->peaks[STORE_PEAK_LIFE].top_bytes);
	const uint64_t threads = load_relaxed(&recorder_counts()->threads);
	uint64_t step = (top >> HEIGHT_SHARE_SHIFT) / (threads ? threads : 1);

	if (step < HEIGHT_LEAST_STEP)
		step = HEIGHT_LEAST_STEP;
	store_relaxed(&recorder.height->step_bytes, step * (threads ? threads : 1));
	store_relaxed(&recorder.height_step, (int64_t)step);
}

void height_begin(void)
{
	recorder.height =
		peak_height(&(struct reaper){.header = recorder.header, .layout = &recorder.layout},
			    recorder.slot);
	recorder.height->serial = recorder.serial;
	height_taking = 0;
	height_new_step();
}

/* Of all threads, told or not, that were ever allocated. */
static uint64_t height_allocated(void)
{
	uint64_t bytes = load_relaxed(&recorder_counts()->bytes);
	uint32_t set, i;

	for (set = 0; set < recorder.layout.tally_sets; set++) {
		if (load_relaxed(&recorder.header->tally_owners[set]) != recorder.slot + 1)
			continue;
		for (i = 0; i < STORE_TALLIES; i++)
			if (load_relaxed(&recorder.tally_sets[set].tally[i].trace))
				bytes += load_relaxed(&recorder.tally_sets[set].tally[i].bytes);
	}
	return bytes;
}

static bool height_take_begin(uint64_t now)
{
	uint64_t since = load_relaxed(&height_taking);

	if (since && now - since < HEIGHT_PATIENCE_NS)
		return false;
	return __atomic_compare_exchange_n(&height_taking, &since, now, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static void height_take(enum store_peak_of which, const struct live_object *more)
{
	const struct reaper reaper = {.header = recorder.header,
				      .layout = &recorder.layout,
				      .depot = recorder.depot,
				      .fd = -1};
	struct peak_moment moment = {.slot = recorder.slot, .which = which, .if_more = true};
	struct store_taken *taken;
	uint64_t before, seen;

	moment.time_ns = recorder_now_ns();
	if (!height_take_begin(moment.time_ns))
		return;
	if (more)
		moment.more = (struct peak_object){more->handle, more->size};
	before = height_allocated();
	seen = peak_take(&reaper, &moment, &height_cache);
	taken = peak_taken(&recorder.height->peaks[which]);
	taken->meanwhile = height_allocated() - before;
	height_spent_ns += seen * 1000000 / HEIGHT_ENTRIES_A_MS;
	store_release(&height_taking, 0);
}

/* What of its height is a step to take at: the coarser, the more of its time went into it. */
static unsigned int height_shift(void)
{
	const uint64_t lived = recorder_now_ns() - recorder.process->start_monotonic_ns;

	if (height_spent_ns < HEIGHT_FREE_NS + lived / 128)
		return HEIGHT_FINE;
	return height_spent_ns < 8 * HEIGHT_FREE_NS + lived / 32 ? HEIGHT_FINE - 2
								 : HEIGHT_FINE - 3;
}

/* It comes down from its top, by a step, and from more than was taken. */
static bool height_comes_down(const struct store_peak *peak, uint64_t before, uint64_t total,
			      unsigned int shift)
{
	const uint64_t top = load_relaxed(&peak->top_bytes);
	const uint64_t taken = load_relaxed(&peak->taken[load_relaxed(&peak->now) & 1].bytes);

	return total + (top >> shift) < top && taken + (taken >> shift) < before;
}

static void height_rise(struct store_peak *peak, uint64_t total)
{
	uint64_t top = load_relaxed(&peak->top_bytes);

	while (total > top)
		if (__atomic_compare_exchange_n(&peak->top_bytes, &top, total, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			store_relaxed(&peak->top_ns, recorder_now_ns());
			height_new_step();
			return;
		}
}

/* Somebody wants to know the highest point from here on. */
static bool height_interval(struct store_height *height, uint64_t total)
{
	const uint32_t wanted = load_relaxed(&height->wanted);
	struct store_peak *peak = &height->peaks[STORE_PEAK_INTERVAL];
	uint32_t begun = load_relaxed(&height->begun);

	if (likely(!wanted))
		return false;
	if (begun != wanted && __atomic_compare_exchange_n(&height->begun, &begun, wanted, false,
							   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		store_relaxed(&peak->taken[0].bytes, 0);
		store_relaxed(&peak->taken[1].bytes, 0);
		store_relaxed(&peak->top_bytes, 0);
		height_rise(peak, total);
	}
	return true;
}

static void height_see(struct store_height *height, enum store_peak_of which, uint64_t total,
		       const struct live_object *freed)
{
	struct store_peak *peak = &height->peaks[which];
	/* (b) It was still there a moment ago. */
	const uint64_t before = freed ? total + height_bytes(freed) : total;

	height_rise(peak, before);
	if (height_comes_down(peak, before, total, HEIGHT_FINE) &&
	    height_comes_down(peak, before, total, height_shift()))
		height_take(which, freed);
}

/* Estimates may say that there is less than nothing. */
static uint64_t height_add(struct store_height *height, int64_t delta)
{
	const uint64_t total =
		fetch_add_relaxed(&height->live_bytes, (uint64_t)delta) + (uint64_t)delta;

	return (int64_t)total > 0 ? total : 0;
}

__attribute__((noinline)) void height_tell(int64_t delta, const struct live_object *freed)
{
	struct store_height *height = recorder.height;
	const uint64_t total = height_add(height, delta);

	height_see(height, STORE_PEAK_LIFE, total, freed);
	if (height_interval(height, total))
		height_see(height, STORE_PEAK_INTERVAL, total, freed);
}

void height_correct(uint32_t slot, int64_t delta)
{
	struct reaper reaper = {.header = recorder.header, .layout = &recorder.layout};

	/* The entry may have been damaged, by any process of the run. */
	if (slot < recorder.layout.slots)
		(void)height_add(peak_height(&reaper, slot), delta);
}

__attribute__((noinline)) uint64_t height_estimate(uint64_t size, unsigned int code)
{
	return size * weight_of(size, code) / 256;
}
