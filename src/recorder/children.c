/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * children.c - what the processes of a run share: the head of its first store.
 *
 * All of them know that store by its name: a program that was exec()ed has nothing else from its
 * parent. Its head stays mapped, and with that a process that could not have a store of its own, or
 * has lost it, can still say so, with no descriptor and no file to open.
 *
 * Each store takes its whole size while its process runs, so their number is limited. It is counted
 * there; the count never goes down, so no more files than that are made.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder.h"

static int children_map(int fd)
{
	struct store_header *first;
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)STORE_HEAD_BYTES)
		return -EBADMSG;
	first = mmap(NULL, STORE_HEAD_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (first == MAP_FAILED)
		return -errno;
	if (load_acquire(&first->magic) != STORE_MAGIC || first->version != STORE_VERSION) {
		(void)munmap(first, STORE_HEAD_BYTES);
		return -EBADMSG;
	}
	recorder.first = first;
	return 0;
}

int children_join(const char *first)
{
	int error, fd;

	if (recorder.first)
		return 0;
	fd = setup_open(first, O_RDWR | O_NONBLOCK);
	if (fd < 0)
		return fd;
	error = children_map(fd);
	(void)close(fd);
	return error;
}

int children_admit(void)
{
	struct store_header *first = recorder.first;

	/* A process that exec()s is the one it was; another one is a child. */
	if (!recorder.options.follow_children && first->process.pid != (uint32_t)getpid())
		return -ECHILD;
	if (fetch_add_relaxed(&first->children, 1) < recorder.options.children)
		return 0;
	(void)fetch_add_relaxed(&first->children_unrecorded, 1);
	return -ECHILD;
}

void children_leave_store(void)
{
	struct store_header *header = recorder.header;
	const uint64_t bytes = header->total_bytes;

	recorder.header = NULL;
	if (header == recorder.first)
		(void)munmap((char *)header + STORE_HEAD_BYTES, bytes - STORE_HEAD_BYTES);
	else
		(void)munmap(header, bytes);
}
