/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* files.c - for what is read by its name: a directory of the fuzzer's own. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

static char *files_root;

static int files_remove_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
	(void)st;
	(void)type;
	(void)place;
	return remove(path);
}

static void files_remove(void)
{
	(void)nftw(files_root, files_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *files_directory(void)
{
	const char *place = getenv("TMPDIR");

	if (files_root)
		return files_root;
	if (asprintf(&files_root, "%s/stackdepot-fuzz-XXXXXX", place ? place : "/tmp") < 0 ||
	    !mkdtemp(files_root))
		abort();
	(void)atexit(files_remove);
	return files_root;
}

char *files_path(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", files_directory(), name) < 0)
		abort();
	return path;
}

/* Directories on the way are made. */
static char *files_made(const char *name)
{
	char *path = files_path(name), *slash;

	for (slash = path + strlen(files_root) + 1; *slash; slash++) {
		if (*slash != '/')
			continue;
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	return path;
}

void files_write(const char *name, const void *data, size_t size)
{
	char *path = files_made(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd))
		abort();
	free(path);
}

void files_link(const char *name, const char *to)
{
	char *path = files_made(name), *target = files_path(to);

	if (symlink(target, path))
		abort();
	free(path);
	free(target);
}
