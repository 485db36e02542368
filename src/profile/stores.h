/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stores.h - what a run leaves behind. */
#ifndef PROFILE_STORES_H
#define PROFILE_STORES_H

#include <stddef.h>

struct stores {
	char **path;
	size_t nr;
};

/* FILE and those of its children; each to be freed. */
void stores_find(const char *file, struct stores *ret_stores);
/* All of the run that FILE is of, be it a child's or the first. */
void stores_of_run(const char *file, struct stores *ret_stores);
void stores_free(struct stores *stores);

#endif
