/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* target.h - the stores that a command line names. */
#ifndef PROFILE_TARGET_H
#define PROFILE_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "stackdepot/store.h"

struct symbols;

/* What counts as live: what is, or what was at the highest point, of an interval perhaps. */
enum targets_peak { TARGETS_NOW, TARGETS_PEAK, TARGETS_PEAK_OF_INTERVAL };

/* Stores to read as one; see profile.h. */
struct targets {
	char *const *names; /* each a FILE or a PID */
	size_t nr;
	const char *process;	 /* PID or NAME of those that are asked for; NULL: all */
	bool lost;		 /* of what is live, only what nothing points to any more */
	bool mapped;		 /* not objects, but what programs mapped themselves */
	enum targets_peak peak;	 /* or what was live when each process had the most */
	double interval;	 /* so many seconds, which begin now */
	bool running;		 /* or only what processes hold that run, if one does */
	bool ended;		 /* only what processes left that have ended */
	struct symbols *symbols; /* of another profile, to share them; NULL: they get their own */
};

/* The file of the store that FILE|PID names, to be freed; NULL after a complaint. *RET_PID is 0, or
 * of PID the number that the process has in its own name space. */
char *target_path(const char *name, uint32_t *ret_pid);
/* Why a store could not be opened. */
const char *target_error(int error);

#endif
