/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* fetch.h - from the names of traces to lines. */
#ifndef DEPOT_FETCH_H
#define DEPOT_FETCH_H

#include "depot.h"

/*
 * depot_life() - the life that a 64-bit reference of anybody's names.
 *
 * Return: 0, -EINVAL (there is no such line), or -ESTALE.
 */
int depot_life(struct stackdepot *depot, u64 ref, u64 *ret_life);

#endif
