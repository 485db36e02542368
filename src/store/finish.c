/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* finish.c - what the parent of a recorded process writes into its store when it has ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format.h"
#include "stackdepot/store.h"

static int finish_mark(struct store_header *header, uint32_t pid, uint32_t wait_status)
{
	if (header->magic != STORE_MAGIC || header->version != STORE_VERSION)
		return -EBADMSG;
	if (header->process.pid != pid)
		return -ESRCH;
	header->process.wait_status = wait_status;
	__atomic_store_n(&header->process.state, STORE_WAITED, __ATOMIC_RELEASE);
	return 0;
}

/* The header of an open store, to be written to. */
static int finish_map(int fd, struct store_header **ret_header)
{
	struct store_header *header;
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)STORE_HEADER_BYTES)
		return -EBADMSG;
	header = mmap(NULL, STORE_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (header == MAP_FAILED)
		return -errno;
	*ret_header = header;
	return 0;
}

static int finish_fd(int fd, uint32_t pid, uint32_t wait_status)
{
	struct store_header *header;
	int error = finish_map(fd, &header);

	if (error)
		return error;
	error = finish_mark(header, pid, wait_status);
	(void)munmap(header, STORE_HEADER_BYTES);
	return error;
}

int stackdepot_store_finish(const char *path, uint32_t pid, uint32_t wait_status)
{
	int error, fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	error = finish_fd(fd, pid, wait_status);
	(void)close(fd);
	return error;
}

static int trim_punch(int fd, off_t from, off_t to)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, to - from) ? -errno
											  : 0;
}

static int trim_zeros(int fd)
{
	static const char zeros[STORE_PAGE_BYTES];
	char page[STORE_PAGE_BYTES];
	off_t at, hole = -1;
	ssize_t length;
	int error = 0;

	for (at = 0; !error && (length = pread(fd, page, sizeof(page), at)) == sizeof(page);
	     at += length) {
		bool zero = !__builtin_memcmp(page, zeros, sizeof(page));

		if (zero && hole < 0)
			hole = at;
		if (!zero && hole >= 0) {
			error = trim_punch(fd, hole, at);
			hole = -1;
		}
	}
	return !error && hole >= 0 ? trim_punch(fd, hole, at) : error;
}

static int trim_fd(int fd)
{
	struct store_header *header;
	int error = finish_map(fd, &header);

	if (error)
		return error;
	if (header->magic != STORE_MAGIC || header->version != STORE_VERSION)
		error = -EBADMSG;
	else if (!(header->process.flags & STORE_FLAG_TRIMMED))
		error = trim_zeros(fd);
	if (!error)
		header->process.flags |= STORE_FLAG_TRIMMED;
	(void)munmap(header, STORE_HEADER_BYTES);
	return error;
}

int stackdepot_store_trim(const char *path)
{
	int error, fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	error = trim_fd(fd);
	(void)close(fd);
	return error;
}
