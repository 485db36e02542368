/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* heaps.h - allocators of the processes of a profile that were not recorded. */
#ifndef PROFILE_HEAPS_H
#define PROFILE_HEAPS_H

#include "profile.h"

#define HEAPS_MOST 64u

struct heap {
	char allocator[32];
	char module[96]; /* the file's name */
	bool hidden;	 /* the file shows signs of it; else the recorder knew of it */
};

struct heaps {
	struct heap heap[HEAPS_MOST];
	size_t nr;
	bool more; /* there was no room for all */
};

/* Each once. */
void heaps_unseen(const struct profile *profile, struct heaps *ret_heaps);

/*
 * Bytes of anonymous memory that processes which run have beyond their live objects: heaps that
 * are not seen, and stacks, data, code that was made, what allocators hold in reserve. An estimate:
 * what of the objects was never written to has no memory. 0 if it is not known.
 */
double heaps_beside(const struct profile *profile);

#endif
