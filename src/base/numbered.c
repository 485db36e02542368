/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* numbered.c - files beside a store that are of its processes. */
#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "numbered.h"

static bool numbered_is_one(const char *name, const char *base)
{
	const size_t length = strlen(base);

	return !strncmp(name, base, length) && name[length] &&
	       !name[length + strspn(name + length, "0123456789")];
}

void numbered_remove(const char *path, const char *kind)
{
	const char *slash = strrchr(path, '/');
	char *base = memory_print("%s.%s.", slash ? slash + 1 : path, kind);
	char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : memory_strdup("./");
	DIR *list = directory ? opendir(directory) : NULL;
	struct dirent *entry;

	while (list && (entry = readdir(list)))
		if (numbered_is_one(entry->d_name, base))
			(void)unlinkat(dirfd(list), entry->d_name, 0);
	if (list)
		(void)closedir(list);
	free(directory);
	free(base);
}
