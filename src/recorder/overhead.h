/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* overhead.h - recording takes no more than its share of the CPU time. */
#ifndef OVERHEAD_H
#define OVERHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder.h"

#define OVERHEAD_TIMED 64u /* where every object is recorded, one event of so many is timed */

extern bool overhead_on;

static inline uint64_t overhead_ticks(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#endif
}

/* The timed event ends that began then; when the thread's last one did, which is now. */
void overhead_spend(uint64_t since, uint64_t *last);

/* From here on no more than so many thousandths of a percent; the rate to begin with, in bytes. */
uint64_t overhead_begin(uint64_t thousandths);
void overhead_end(void);
/* In a forked child, before it begins anew. */
void overhead_child(void);
/* An object of this size was recorded: those that are not are like it, on average. */
void overhead_sample(uint64_t size);
/* The program asked how much room an object of this size has, which is a sample: it asks as often
 * of those that are not recorded. */
void overhead_ask(uint64_t size);
/* So many bytes were allocated without that anything was recorded. */
void overhead_count(uint64_t bytes);
/* Look whether the share is kept, if that was not done just now. */
void overhead_pass(void);

#endif
