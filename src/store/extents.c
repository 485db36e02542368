/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * extents.c - which parts of a store's file were ever written.
 *
 * A store has room for far more than most processes use, and what was not used is a hole in the
 * file. To look into one through a mapping costs a page of memory each 4 KiB, on tmpfs for good; to
 * ask the file system where it ends costs a system call.
 *
 * The answer is asked for anew in each walk, as the process may be writing. Where the file cannot
 * be opened again, was replaced, or lies on a file system that does not say, all counts as written.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reader.h"

#define EXTENTS_HELD_BYTES (4u << 20) /* that a walk keeps in memory */

struct store_extents {
	dev_t device;
	ino_t inode;
	int fd;	       /* -1: closed */
	bool silent;   /* nothing is told in this walk */
	uint64_t from; /* the extent that was found last */
	uint64_t to;
	uint64_t at; /* where the walk is; the next is where pages are held from */
	uint64_t held;
	char path[];
};

struct store_extents *extents_open(const char *path, int fd)
{
	struct store_extents *extents = calloc(1, sizeof(*extents) + strlen(path) + 1);
	struct stat st;

	if (!extents)
		return NULL;
	strcpy(extents->path, path);
	extents->fd = -1;
	if (!fstat(fd, &st)) {
		extents->device = st.st_dev;
		extents->inode = st.st_ino;
	}
	return extents;
}

static void extents_close_file(struct store_extents *extents)
{
	if (extents->fd >= 0)
		(void)close(extents->fd);
	extents->fd = -1;
	extents->silent = false;
	extents->from = extents->to = extents->at = 0;
}

/* Pages that are done with need not stay in this process's memory. */
static void extents_release(const struct stackdepot_store *store, uint64_t from, uint64_t to)
{
	const uint64_t page = STORE_PAGE_BYTES;

	from = (from + page - 1) / page * page;
	to = to / page * page;
	if (from < to)
		(void)madvise((void *)(uintptr_t)store_at(store, from), to - from, MADV_DONTNEED);
}

void store_walk_end(struct stackdepot_store *store, uint64_t offset)
{
	struct store_extents *extents = store->extents;

	extents_release(store, extents->held, offset);
	extents_close_file(extents);
}

void extents_close(struct store_extents *extents)
{
	if (!extents)
		return;
	extents_close_file(extents);
	free(extents);
}

/* Stores are many and descriptors few, so it is open during a walk only. */
static void extents_begin(struct store_extents *extents)
{
	struct stat st;

	extents->fd = open(extents->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	extents->silent = extents->fd < 0 || fstat(extents->fd, &st) ||
			  st.st_dev != extents->device || st.st_ino != extents->inode;
}

/* The next extent at or behind OFFSET. */
static void extents_find(struct store_extents *extents, uint64_t offset)
{
	off_t from = lseek(extents->fd, (off_t)offset, SEEK_DATA);
	off_t to = from < 0 ? from : lseek(extents->fd, from, SEEK_HOLE);

	extents->from = extents->to = UINT64_MAX;
	if (to >= 0) {
		extents->from = (uint64_t)from;
		extents->to = (uint64_t)to;
	} else if (errno != ENXIO) {
		extents->silent = true;
	}
}

static uint64_t extents_next(struct store_extents *extents, uint64_t offset)
{
	if (extents->fd < 0 && !extents->silent)
		extents_begin(extents);
	if (!extents->silent && offset >= extents->to)
		extents_find(extents, offset);
	return extents->silent || offset >= extents->from ? offset : extents->from;
}

uint64_t store_walk(struct stackdepot_store *store, uint64_t offset)
{
	struct store_extents *extents = store->extents;

	/* The first step, or a walk that was given up before. */
	if (!extents->at || offset < extents->at) {
		extents_close_file(extents);
		extents->held = offset;
	}
	if (offset - extents->held >= EXTENTS_HELD_BYTES) {
		extents_release(store, extents->held, offset);
		extents->held = offset;
	}
	extents->at = offset;
	return extents_next(extents, offset);
}
