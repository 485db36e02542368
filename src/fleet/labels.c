/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* labels.c - names from options, paths, and a file beside the store. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/memory.h"
#include "labels.h"

#define DESCRIPTORS "/proc/self/fd/"
#define SUFFIX ".stackdepot"
#define VERSION_BYTES 256

char *labels_line(FILE *file)
{
	char line[VERSION_BYTES] = "";

	if (file && !fgets(line, sizeof(line), file))
		line[0] = '\0';
	if (file)
		(void)fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
	return clean_text(line);
}

/*
 * A file of the owner of its store, and no link: whoever reads may have more rights than he has,
 * and what the file says is told to others.
 */
static FILE *labels_open_beside(const char *path, const char *store)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st, owner;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && !stat(store, &owner) &&
	    (st.st_uid == owner.st_uid || st.st_uid == 0))
		return fdopen(fd, "r");
	(void)close(fd);
	return NULL;
}

/* The path without its suffix, and with MORE behind it; to be freed. */
static char *labels_beside(const char *path, const char *more)
{
	size_t length = strlen(path), suffix = strlen(SUFFIX);

	if (length > suffix && !strcmp(path + length - suffix, SUFFIX))
		length -= suffix;
	return memory_print("%.*s%s", (int)length, path, more);
}

char *labels_service(const struct labels *labels, const char *path)
{
	char *stem, *service;

	if (labels->service)
		return clean_text(labels->service);
	stem = labels_beside(path, "");
	service = clean_text(strrchr(stem, '/') ? strrchr(stem, '/') + 1 : stem);
	free(stem);
	return service;
}

char *labels_version(const struct labels *labels, const char *path)
{
	char *beside, *version;

	if (labels->version)
		return clean_text(labels->version);
	beside = labels_beside(path, ".version");
	version = labels_line(labels_open_beside(beside, path));
	free(beside);
	return version;
}

char *labels_path(const char *name)
{
	char *real = strncmp(name, DESCRIPTORS, strlen(DESCRIPTORS)) ? NULL : realpath(name, NULL);

	return real ? real : memory_strdup(name);
}
