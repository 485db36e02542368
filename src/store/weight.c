/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* weight.c - see weight.h. */
#include "weight.h"

/* 1 - exp(-x): the series below 1/16, and (1 - q)(1 + exp(-x/2)) halving its way there. */
static double weight_rise(double x)
{
	double rise;

	if (x > 30)
		return 1;
	if (x < 0.0625)
		return x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5))));
	rise = weight_rise(x / 2);
	return rise * (2 - rise);
}

unsigned int weight_code(uint64_t rate)
{
	unsigned int code = 0;

	while (code < ENTRY_MAX_RATE_CODE && weight_rate(code) < rate)
		code++;
	return code;
}

static double weight_probability(uint64_t size, uint64_t rate)
{
	return weight_rise((double)(size ? size : 1) / (double)rate);
}

uint64_t weight_chance(uint64_t size, uint64_t rate)
{
	return (uint64_t)(weight_probability(size, rate) * 4294967296.0);
}

uint64_t weight_of(uint64_t size, unsigned int code)
{
	return code ? (uint64_t)(256 / weight_probability(size, weight_rate(code)) + 0.5) : 256;
}
