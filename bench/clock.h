/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Time, and what to make of many measurements of it.
 *
 * Passes are timed by the CPU time of their thread: on a machine shared with others a pass that is
 * put aside for a while must not look slow. Time in the kernel (page faults) is in it.
 */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>

/* clock_thread_ns() - CPU time of this thread. */
uint64_t clock_thread_ns(void);

/* clock_wall_ns() - time that never runs backwards; reading it is cheap. */
uint64_t clock_wall_ns(void);

/* clock_pin() - keep this thread on one CPU, the @index-th of those allowed, modulo their number.
 */
void clock_pin(unsigned int index);

/* clock_cpus() - CPUs this process may use. */
unsigned int clock_cpus(void);

#define SAMPLES_MAX 64

/* struct samples - one quantity, measured once a round. NAN where a round has none. */
struct samples {
	unsigned int nr;
	double value[SAMPLES_MAX];
};

void samples_add(struct samples *samples, double value);

/* samples_median() - NAN if there are none. */
double samples_median(const struct samples *samples);

/* samples_spread() - half the distance between the quartiles, relative to the median. */
double samples_spread(const struct samples *samples);

/*
 * samples_ratio() - median of the quotients round by round: what disturbs the machine for longer
 * than a round disturbs both and cancels out.
 */
double samples_ratio(const struct samples *above, const struct samples *below);

#endif
