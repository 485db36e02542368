/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The others, timed in the same run on the same stacks: unw_backtrace() and backtrace() every so
 * often, as they are slow, and would otherwise clear the caches of what is compared with them.
 */
#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <libunwind.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "preload.h"

#define FRAMES 256
#if defined(__x86_64__)
#define BACKTRACE_VERSION "GLIBC_2.2.5"
#else
#define BACKTRACE_VERSION "GLIBC_2.17"
#endif

struct timing {
	uint64_t ticks;
	uint64_t calls;
	uint64_t frames;
};

static struct timing ours, saving, libunwind, libgcc;
static uint64_t others_every = 16; /* UNWIND_OTHERS_EVERY */
static bool without_libgcc;	   /* UNWIND_WITHOUT_LIBGCC: it takes the most time by far */
/* libunwind has one of that name as well. */
static int (*libc_backtrace)(void **frames, int size);
static uint64_t overhead, begin_ticks, begin_ns;

static void add(struct timing *timing, uint64_t ticks, uint64_t frames)
{
	if (ticks > 1000000) /* somebody else had the processor */
		return;
	__atomic_fetch_add(&timing->ticks, ticks > overhead ? ticks - overhead : 0,
			   __ATOMIC_RELAXED);
	__atomic_fetch_add(&timing->calls, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&timing->frames, frames, __ATOMIC_RELAXED);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void calibrate(void)
{
	const char *every = getenv("UNWIND_OTHERS_EVERY");
	uint64_t least = UINT64_MAX;
	unsigned int i;

	libc_backtrace = (int (*)(void **, int))dlvsym(dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD),
						       "backtrace", BACKTRACE_VERSION);
	without_libgcc = getenv("UNWIND_WITHOUT_LIBGCC");
	if (every && atoi(every) > 0)
		others_every = (uint64_t)atoi(every);

	for (i = 0; i < 1000; i++) {
		uint64_t begin = preload_ticks(), ticks = preload_ticks() - begin;

		least = ticks < least ? ticks : least;
	}
	overhead = least;
	begin_ns = now_ns();
	begin_ticks = preload_ticks();
}

void preload_time_ours(uint64_t captured, uint64_t saved, uint32_t frames)
{
	if (!begin_ticks) {
		calibrate();
		return;
	}
	add(&ours, captured, frames);
	add(&saving, saved > overhead ? saved - overhead : 0, frames);
}

void preload_time_others(uint64_t call)
{
	void *frames[FRAMES];
	uint64_t begin;
	int nr;

	if (call % others_every)
		return;
	begin = preload_ticks();
	nr = unw_backtrace(frames, FRAMES);
	add(&libunwind, preload_ticks() - begin, (uint64_t)nr);
	if (call % (others_every * 16) || without_libgcc)
		return;
	begin = preload_ticks();
	nr = libc_backtrace(frames, FRAMES);
	add(&libgcc, preload_ticks() - begin, (uint64_t)nr);
}

static double mean_ns(const struct timing *timing, double ns_per_tick)
{
	return timing->calls ? (double)timing->ticks * ns_per_tick / (double)timing->calls : 0;
}

void preload_time_report(void (*say)(const char *format, ...), const char *program)
{
	double scale = (double)(now_ns() - begin_ns) / (double)(preload_ticks() - begin_ticks);
	double mine = mean_ns(&ours, scale), other = mean_ns(&libunwind, scale);

	if (!ours.calls || !libunwind.calls)
		return;
	/* who is recalled has no frames; the others walk all of them */
	say("%s: %lu stacks of %.1f frames: ours %.1f ns, with save %.1f ns, unw_backtrace "
	    "%.1f ns, backtrace %.0f ns, ratio %.3f, with save %.3f;",
	    program, ours.calls, (double)libunwind.frames / (double)libunwind.calls, mine,
	    mean_ns(&saving, scale), other, mean_ns(&libgcc, scale), mine / other,
	    mean_ns(&saving, scale) / other);
}
