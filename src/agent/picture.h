/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* picture.h - what a worker makes: of one store a profile, a page, a report of what is lost. */
#ifndef AGENT_PICTURE_H
#define AGENT_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "ask.h"

enum picture_kind {
	PICTURE_HEAP,
	PICTURE_ALLOCS,
	PICTURE_FLAME,
	PICTURE_LOST,
	PICTURE_FLEET,	    /* not of a store, but what a server knows of all hosts; as JSON */
	PICTURE_FLEET_FLAME /* or as a page */
};

#define PICTURE_GONE 4 /* exit status: the store is not there any more */

#define PICTURE_PROCESS_BYTES 64u

struct picture {
	enum picture_kind kind;
	unsigned int seconds;		     /* what changed in so many; 0: what is */
	char process[PICTURE_PROCESS_BYTES]; /* empty: all */
	uint64_t device;		     /* of the store */
	uint64_t inode;
	char *const *places;
	size_t nr_places;
	struct ask ask; /* of the fleet */
};

/* In a worker: write it to standard output; a complaint to standard error. An exit status. */
int picture_run(const struct picture *picture);

#endif
