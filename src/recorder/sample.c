/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * sample.c - which objects are recorded, when not all are.
 *
 * A Poisson process over the bytes a thread allocates, as in tcmalloc and heapprofd: the bytes to
 * the next sample are exponential with the rate as mean, so an object of s bytes is taken with p =
 * 1 - exp(-s / rate) whatever came before, and stands for 1 / p objects of its size.
 *
 * Rates are powers of two, as an entry of the table has five bits for its own.
 */
#include "recorder.h"

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

/* 1 - exp(-x): the series below 1/16, and (1 - q)(1 + exp(-x/2)) halving its way there. */
static double sample_rise(double x)
{
	double rise;

	if (x > 30)
		return 1;
	if (x < 0.0625)
		return x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5))));
	rise = sample_rise(x / 2);
	return rise * (2 - rise);
}

uint64_t sample_rate(unsigned int code)
{
	return code ? 1ull << (code + ENTRY_RATE_SHIFT) : 0;
}

unsigned int sample_code(uint64_t rate)
{
	unsigned int code = 0;

	while (code < ENTRY_MAX_RATE_CODE && sample_rate(code) < rate)
		code++;
	return code;
}

static double sample_probability(uint64_t size, uint64_t rate)
{
	return sample_rise((double)(size ? size : 1) / (double)rate);
}

uint64_t sample_chance(uint64_t size, uint64_t rate)
{
	return (uint64_t)(sample_probability(size, rate) * 4294967296.0);
}

uint64_t sample_weight(uint64_t size, unsigned int code)
{
	return code ? (uint64_t)(256 / sample_probability(size, sample_rate(code)) + 0.5) : 256;
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
	uint64_t rate = load_relaxed(&recorder.header->counts.sample_bytes);

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
	if (likely(!load_relaxed(&recorder.sampling)))
		return true;
	if (!thread || sample_skips(size))
		return false;
	return sample_due(thread, size);
}

void sample_setup(void)
{
	uint64_t rate = sample_rate(sample_code(recorder.options.sample_bytes));

	recorder.header->sample_bytes = recorder.options.sample_bytes;
	recorder.header->counts.sample_bytes = rate;
	if (rate)
		live_filter_setup();
	store_release(&recorder.sampling, rate != 0);
}
