/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* geometry.h - from a number of bytes to the parts of a depot. See geometry.c. */
#ifndef DEPOT_GEOMETRY_H
#define DEPOT_GEOMETRY_H

#include "depot.h"

/*
 * depot_plan() - sizes and offsets for a new depot.
 * @seed: used if the options have none.
 *
 * Return: 0, or -EINVAL: an option is out of range, or max_bytes does not suffice for one line.
 */
int depot_plan(const struct stackdepot_options *options, u64 seed,
	       struct depot_geometry *ret_geometry);

/* depot_format() - write the header of a new depot into zeroed memory of total_bytes. */
void depot_format(void *memory, const struct depot_geometry *geometry);

/*
 * depot_open() - make the private view of a depot in memory, which is not trusted.
 * @bytes: readable at @memory.
 *
 * Return: 0, -EBADMSG or -EPROTONOSUPPORT.
 */
int depot_open(struct stackdepot *depot, void *memory, u64 bytes);

#endif
