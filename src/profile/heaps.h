/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* heaps.h - allocators of the processes of a profile that were not recorded. */
#ifndef PROFILE_HEAPS_H
#define PROFILE_HEAPS_H

#include "profile.h"

#define HEAPS_MOST 16u

struct heap {
	char allocator[32];
	char module[96]; /* the file's name */
	bool hidden;	 /* the file shows signs of it; else the recorder knew of it */
};

/* Each once; their number. */
size_t heaps_unseen(const struct profile *profile, struct heap heaps[HEAPS_MOST]);

#endif
