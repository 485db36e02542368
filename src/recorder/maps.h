/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* maps.h - mappings of the program's own. */
#ifndef MAPS_H
#define MAPS_H

#include <unistd.h>

#include "recorder.h"

/* Memory was mapped, by who called from START, or is mapped no more. errno is preserved. */
void maps_begins(const recorder_start *start, const void *memory, size_t bytes);
void maps_ends(const void *memory, size_t bytes);
/* As the kernel takes it: in whole pages. */
static inline size_t maps_whole(size_t bytes)
{
	const size_t page = (size_t)getpagesize();

	return (bytes + page - 1) & ~(page - 1);
}

/* Enter those that there were before the store; and forget the parent's in a forked child. */
void maps_setup(void);
void maps_child(void);

#endif
