/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* image.h - a copy of what a stopped process can hold pointers in. */
#ifndef LOST_IMAGE_H
#define LOST_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A run of pages that are there, copied: whole words, as the process had them. */
struct image_piece {
	uint64_t start;
	uint64_t end;
	const uint64_t *words;
};

struct image {
	struct image_piece *pieces; /* in the order of their addresses */
	size_t nr;
	size_t room;
	uint64_t bytes;
	char *memory; /* of all words */
	size_t memory_bytes;
};

/* A readable mapping, as /proc/PID/maps has it. */
struct image_mapping {
	uint64_t start;
	uint64_t end;
	bool shared;
	uint64_t inode; /* 0: of no file */
	dev_t device;
	const char *path;
};

/* Is this mapping to be copied? Its start may be moved to where the part begins that is. */
typedef bool (*image_filter)(void *context, struct image_mapping *mapping);

/* Before PID is stopped: have memory there for as much as it has now. Only time depends on it. */
void image_prepare(pid_t pid, struct image *image);
/*
 * Copy the readable memory of PID that somebody wrote: anonymous pages, and pages of files that
 * were changed in private. Pages that were never touched are not there, however large the mapping.
 * 0 or a negative errno.
 */
int image_copy(pid_t pid, image_filter filter, void *context, struct image *image);
void image_release(struct image *image);
/* 1: PID, which need not be stopped, maps that file; 0: it does not; or a negative errno. */
int image_maps(pid_t pid, dev_t device, ino_t inode);

#endif
