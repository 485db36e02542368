/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * find.h - the stores of this host, in the places that were named.
 *
 * A place is a file or a directory, or a pattern of them as the shell has it. What is named without
 * a wildcard is the administrator's word, and is followed wherever it leads. From the first
 * wildcard on, names may be anybody's: no link is followed, and a store has to belong to the owner
 * of its directory, to root, or to the agent's own user. In a directory, stores are the files whose
 * names end with ".stackdepot".
 */
#ifndef AGENT_FIND_H
#define AGENT_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define FIND_SUFFIX ".stackdepot"

/* One that was found, open for reading until the call is over. */
struct find_store {
	int fd;
	const char *path;
	struct stat st;
};

struct find_counts {
	uint64_t foreign;    /* not opened: their owner should not have files there */
	uint64_t links;	     /* symbolic ones that were not followed */
	uint64_t unreadable; /* files and directories that could not be opened */
	uint64_t left_out;   /* older than BOUND_STORES others, or with too long a name */
};

/* False: no more of them. */
typedef bool find_fn(void *context, const struct find_store *store);

/* The youngest BOUND_STORES of them, each once. PLACES are absolute. */
void find_stores(char *const *places, size_t nr, find_fn *found, void *context,
		 struct find_counts *ret_counts);

#endif
