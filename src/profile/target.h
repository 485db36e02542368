/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* target.h - the stores that a command line names. */
#ifndef PROFILE_TARGET_H
#define PROFILE_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "stackdepot/store.h"

struct symbols;

/* Stores to read as one; see profile.h. */
struct targets {
	char *const *names; /* each a FILE or a PID */
	size_t nr;
	bool whole_run;		 /* the other stores of the runs they are of, too */
	bool quiet;		 /* about those that cannot be read */
	bool lost;		 /* of what is live, only what nothing points to any more */
	struct symbols *symbols; /* of another profile, to share them; NULL: they get their own */
};

/* The file of the store that FILE|PID names, to be freed; NULL after a complaint. */
char *target_path(const char *name);
/* Why a store could not be opened. */
const char *target_error(int error);

#endif
