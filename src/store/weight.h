/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * weight.h - how likely an object is taken when not all are, and how many it stands for.
 *
 * A Poisson process over the bytes that are allocated: at a rate of so many bytes from sample to
 * sample an object of s bytes is taken with p = 1 - exp(-s / rate), whatever came before, and
 * stands for 1 / p objects of its size. Rates are powers of two, as an entry of the table of live
 * objects has five bits for its own. Without libm, which is not the recorder's to link.
 */
#ifndef STORE_WEIGHT_H
#define STORE_WEIGHT_H

#include "format.h"

static inline uint64_t weight_rate(unsigned int code)
{
	return code ? 1ull << (code + ENTRY_RATE_SHIFT) : 0;
}

/* The code of the least rate that is no finer. */
unsigned int weight_code(uint64_t rate);
/* Chance, in 2^-32, that an object is taken at a rate. */
uint64_t weight_chance(uint64_t size, uint64_t rate);
/* 256 objects stand behind each one taken: how many at that chance? */
uint64_t weight_of(uint64_t size, unsigned int code);

#endif
