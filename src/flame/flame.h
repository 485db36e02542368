/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* flame.h - the page for the browser. */
#ifndef FLAME_FLAME_H
#define FLAME_FLAME_H

#include <stdio.h>

#include "profile/profile.h"

#define FLAME_NODES 20000u
#define FLAME_NODES_MIN 10u
#define FLAME_NODES_MAX 1000000u

struct flame_options {
	const struct profile *before; /* compare with it, unless NULL */
	size_t nodes;		      /* frames at most, 0: FLAME_NODES */
	const char *who;	      /* of what it is; NULL: of the processes of the profile */
};

/* Write the page of a profile; an exit status, after a complaint. Errors of writing are in OUT. */
int flame_print(FILE *out, const struct profile *now, const struct flame_options *options);
/* Write the page of a profile to FILE, "-" being standard output. An exit status. */
int flame_write(const char *file, const struct profile *now, const struct flame_options *options);

#endif
