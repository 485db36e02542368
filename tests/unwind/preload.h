/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What bench/ adds to the preload library: the clock, and the others' captures. */
#ifndef TESTS_PRELOAD_H
#define TESTS_PRELOAD_H

#include <stdint.h>

static inline uint64_t preload_ticks(void)
{
#if defined(__x86_64__)
	uint32_t low, high, processor;

	__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(processor) : : "memory");
	return (uint64_t)high << 32 | low;
#else
	uint64_t ticks;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks) : : "memory");
	return ticks;
#endif
}

/* @saved: with the trace saved as well, by two more looks at the clock. */
void preload_time_ours(uint64_t captured, uint64_t saved, uint32_t frames);
void preload_time_others(uint64_t call);
void preload_time_report(void (*say)(const char *format, ...), const char *program);

#endif
