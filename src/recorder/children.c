/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * children.c - which processes of a run have a store.
 *
 * Each takes a whole store while it runs, so their number is limited. It is counted in the header
 * of the run's first store, which all of them know by its name: a program that was exec()ed has
 * nothing else from its parent. The count never goes down, so no more files than that are made.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder.h"

static int children_count(struct store_header *first)
{
	if (load_acquire(&first->magic) != STORE_MAGIC || first->version != STORE_VERSION)
		return -EBADMSG;
	/* A process that exec()s is the one it was; another one is a child. */
	if (!recorder.options.follow_children && first->process.pid != (uint32_t)getpid())
		return -ECHILD;
	if (fetch_add_relaxed(&first->children, 1) < recorder.options.children)
		return 0;
	(void)fetch_add_relaxed(&first->children_unrecorded, 1);
	return -ECHILD;
}

static int children_look(int fd)
{
	struct store_header *first;
	struct stat st;
	int error;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)STORE_HEADER_BYTES)
		return -EBADMSG;
	first = mmap(NULL, STORE_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (first == MAP_FAILED)
		return -errno;
	error = children_count(first);
	(void)munmap(first, STORE_HEADER_BYTES);
	return error;
}

int children_admit(const char *first)
{
	int error, fd = open(first, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	error = children_look(fd);
	(void)close(fd);
	return error;
}
