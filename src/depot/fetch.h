/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* fetch.h - from the names of traces to lines. */
#ifndef DEPOT_FETCH_H
#define DEPOT_FETCH_H

#include "depot.h"

/*
 * depot_fetch_whole() - copy a trace, if the array has room for all of it.
 *
 * Return: how many frames; 0, and nothing of a longer trace written, if they do not fit or the
 * handle names no trace.
 */
unsigned int depot_fetch_whole(struct stackdepot *depot, u32 handle, uintptr_t *frames,
			       unsigned int size);

/*
 * depot_life() - the life that a 64-bit reference of anybody's names.
 *
 * Return: 0, -EINVAL (there is no such line), or -ESTALE.
 */
int depot_life(struct stackdepot *depot, u64 ref, u64 *ret_life);

#endif
