/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * sample.c - which objects are recorded, when not all are.
 *
 * A Poisson process over the bytes a thread allocates, as in tcmalloc and heapprofd: the bytes to
 * the next sample are exponential with the rate as mean (store/weight.h).
 */
#include "recorder.h"
#include "weight.h"

#define LN2 0.693147180559945309
#define MAX_LEFT ((double)(1ll << 50))

__thread uint64_t sample_left __attribute__((tls_model("initial-exec")));

/* ln(x) for x in (0, 1]; accurate to 1e-7, and libm is not ours to link. */
static double sample_log(double x)
{
	union {
		double number;
		uint64_t bits;
	} split = {.number = x};
	int exponent = (int)(split.bits >> 52) - 1023;
	double y, y2;

	split.bits = (split.bits & ((1ull << 52) - 1)) | 1023ull << 52;
	y = (split.number - 1) / (split.number + 1);
	y2 = y * y;
	return exponent * LN2 +
	       2 * y *
		       (1 + y2 * (1.0 / 3 +
				  y2 * (1.0 / 5 + y2 * (1.0 / 7 + y2 * (1.0 / 9 + y2 / 11)))));
}

static uint64_t sample_draw(struct recorder_thread *thread, uint64_t rate)
{
	double uniform = ((double)(thread_random(thread) >> 11) + 1) / 9007199254740993.0;
	double left = -sample_log(uniform) * (double)rate;

	return (uint64_t)(left < MAX_LEFT ? left : MAX_LEFT);
}

/* The part of sample_take() that is seldom needed: a sample, or a rate that is new to the thread.
 */
static __attribute__((noinline)) bool sample_due(struct recorder_thread *thread, uint64_t size)
{
	uint64_t rate = recorder_rate();

	if (thread->sample_rate != rate) {
		thread->sample_rate = rate;
		sample_left = sample_draw(thread, rate);
	}
	if (sample_skips(size ? size : 1))
		return false;
	sample_left = sample_draw(thread, rate);
	return true;
}

bool sample_take(struct recorder_thread *thread, uint64_t size)
{
	if (likely(!recorder_rate()))
		return true;
	if (!thread || sample_skips(size))
		return false;
	return sample_due(thread, size);
}

void sample_setup(void)
{
	recorder.process->sample_bytes = weight_rate(weight_code(recorder.options.sample_bytes));
	if (recorder_rate())
		live_filter_setup();
}

void sample_child(void)
{
	recorder.process->sample_bytes = weight_rate(weight_code(recorder.options.sample_bytes));
	sample_left = 0;
}
