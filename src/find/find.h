/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * find.h - the stores of this host, in the places that were named.
 *
 * A place is a file or a directory, or a pattern of them as the shell has it. What is named without
 * a wildcard is the administrator's word, and is followed wherever it leads. From the first
 * wildcard on, names may be anybody's: no link is followed, and a store has to belong to the owner
 * of its directory, to root, or to the user who looks. In a directory, stores are the files whose
 * names end with ".stackdepot".
 */
#ifndef FIND_FIND_H
#define FIND_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define FIND_SUFFIX ".stackdepot"

#define FIND_STORES 512u     /* the youngest ones, if there are more */
#define FIND_FILES 16384u    /* that are looked at */
#define FIND_ENTRIES 65536u  /* of a directory */
#define FIND_PATH_BYTES 512u /* of a store */

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
	uint64_t left_out;   /* older than FIND_STORES others, or with too long a name */
};

/* False: no more of them. */
typedef bool find_fn(void *context, const struct find_store *store);

/* One place more, to be found from wherever this process will be. */
void find_add_place(char ***places, size_t *nr, const char *place);
/* The youngest FIND_STORES of them, each once. PLACES are absolute. */
void find_stores(char *const *places, size_t nr, find_fn *found, void *context,
		 struct find_counts *ret_counts);

#endif
