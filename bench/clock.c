/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "clock.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t clock_read_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_thread_ns(void)
{
	return clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t clock_wall_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

/* Pinning narrows what a thread may use, so what the process may use is remembered first. */
static cpu_set_t clock_allowed(void)
{
	static cpu_set_t allowed;

	if (!CPU_COUNT(&allowed) && sched_getaffinity(0, sizeof(allowed), &allowed))
		CPU_SET(0, &allowed);
	return allowed;
}

unsigned int clock_cpus(void)
{
	cpu_set_t allowed = clock_allowed();

	return (unsigned int)CPU_COUNT(&allowed);
}

void clock_pin(unsigned int index)
{
	cpu_set_t allowed = clock_allowed(), one;
	unsigned int cpu;

	index %= (unsigned int)CPU_COUNT(&allowed);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && !index--)
			break;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

void samples_add(struct samples *samples, double value)
{
	if (samples->nr < SAMPLES_MAX)
		samples->value[samples->nr++] = value;
}

static int samples_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double samples_quantile(const struct samples *samples, double fraction)
{
	double sorted[SAMPLES_MAX], at;
	unsigned int i, nr = 0;

	for (i = 0; i < samples->nr; i++)
		if (!isnan(samples->value[i]))
			sorted[nr++] = samples->value[i];
	if (!nr)
		return NAN;
	qsort(sorted, nr, sizeof(*sorted), samples_compare);
	at = fraction * (nr - 1);
	i = (unsigned int)at;
	if (i + 1 >= nr)
		return sorted[nr - 1];
	return sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]);
}

double samples_median(const struct samples *samples)
{
	return samples_quantile(samples, 0.5);
}

double samples_spread(const struct samples *samples)
{
	double half = (samples_quantile(samples, 0.75) - samples_quantile(samples, 0.25)) / 2;

	return half / samples_median(samples);
}

double samples_ratio(const struct samples *above, const struct samples *below)
{
	struct samples ratio = {0};
	unsigned int i;

	for (i = 0; i < above->nr && i < below->nr; i++)
		samples_add(&ratio, above->value[i] / below->value[i]);
	return samples_median(&ratio);
}
