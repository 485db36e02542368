/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * walk.h - a trace run by run, from the innermost outwards, for those who have no room for all.
 */
#ifndef DEPOT_WALK_H
#define DEPOT_WALK_H

#include "depot.h"

struct depot_walk {
	u64 ref;    /* the life that is walked */
	u64 run;    /* that of the line the last run was in: as good as `ref` to walk from there */
	u32 number; /* the next line; 0: the end */
	u32 nr;	    /* frames so far */
};

/* depot_walk_begin() - at the innermost run of the trace of a 64-bit reference; 0 or an error. */
int depot_walk_begin(struct stackdepot *depot, u64 ref, struct depot_walk *ret_walk);

/*
 * depot_walk_next() - copy the next run.
 * @frames: room for DEPOT_GROUP; or NULL.
 *
 * Return: frames copied; 0 at the end; -ESTALE if the trace was evicted meanwhile, or -EBADMSG if
 * the file is damaged here: then @frames is undefined.
 */
int depot_walk_next(struct stackdepot *depot, struct depot_walk *walk, uintptr_t *frames);

#endif
