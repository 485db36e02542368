/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* finish.c - what the parent of a recorded process writes into its store when it has ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format.h"
#include "stackdepot/store.h"

/* A number means a process in one name space only. */
static bool finish_is_ours(const struct store_process *process)
{
	struct stat st;

	return !process->pid_namespace || stat("/proc/self/ns/pid", &st) ||
	       process->pid_namespace == st.st_ino;
}

static int finish_mark(struct store_header *header, uint32_t pid, uint32_t wait_status)
{
	if (header->magic != STORE_MAGIC || header->version != STORE_VERSION)
		return -EBADMSG;
	if (header->process.pid != pid || header->process.state == STORE_REPLACED ||
	    !finish_is_ours(&header->process))
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
	return from < to && fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from,
				      to - from)
		       ? -errno
		       : 0;
}

/* Of a part that has data: pages of zeros become holes. */
static int trim_data(int fd, off_t from, off_t to)
{
	static const char zeros[STORE_PAGE_BYTES];
	char page[STORE_PAGE_BYTES];
	off_t hole = from; /* everything from here on is zero */
	int error = 0;

	for (; !error && from < to && pread(fd, page, sizeof(page), from) == sizeof(page);
	     from += (off_t)sizeof(page)) {
		if (!__builtin_memcmp(page, zeros, sizeof(page)))
			continue;
		error = trim_punch(fd, hole, from);
		hole = from + (off_t)sizeof(page);
	}
	return error ? error : trim_punch(fd, hole, from);
}

/*
 * Blocks that were reserved and never written are holes to SEEK_DATA, and are not read: reading
 * them took the most time of a run with many children. The head stays whole, other processes may
 * still write there.
 */
static int trim_zeros(int fd, off_t end)
{
	off_t at = STORE_HEAD_BYTES;
	int error = 0;

	while (!error && at < end) {
		off_t data = lseek(fd, at, SEEK_DATA), hole;

		if (data < 0)
			return trim_punch(fd, at, end);
		hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0)
			hole = end;
		error = trim_punch(fd, at, data);
		if (!error)
			error = trim_data(fd, data, hole);
		at = hole;
	}
	return error;
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
		error = trim_zeros(fd, (off_t)header->total_bytes);
	if (!error)
		header->process.flags |= STORE_FLAG_TRIMMED;
	(void)munmap(header, STORE_HEADER_BYTES);
	return error;
}

/* A lease to read is granted if nobody has the file open for writing; a mapping counts as that. */
static int trim_ask(const char *path)
{
	int error, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	error = fcntl(fd, F_SETLEASE, F_RDLCK) ? -errno : 0;
	(void)close(fd);
	return error;
}

int stackdepot_store_trim(const char *path, int has_ended)
{
	int fd, error = has_ended ? 0 : trim_ask(path);

	if (error)
		return error;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	error = trim_fd(fd);
	(void)close(fd);
	return error;
}
