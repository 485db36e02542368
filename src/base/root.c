/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* root.c - the kernel follows links as if a directory were the root. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "root.h"

int root_open(const char *root, const char *path, int flags)
{
	struct open_how how = {.flags = (uint64_t)flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	int directory, fd, error;

	if (!root)
		return open(path, flags | O_CLOEXEC);
	directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));
	error = errno;
	(void)close(directory);
	errno = error;
	return fd;
}
