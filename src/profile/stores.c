/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stores.c - the stores of one run: FILE, and FILE.PID for children and those who exec(). */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "stores.h"

static void stores_add(struct stores *stores, char *path)
{
	stores->path = memory_realloc(stores->path, (stores->nr + 1) * sizeof(*stores->path));
	stores->path[stores->nr++] = path;
}

static bool stores_is_one(const char *name, const char *base)
{
	size_t length = strlen(base);

	if (strncmp(name, base, length))
		return false;
	return !name[length] || (name[length] == '.' && name[length + 1] &&
				 name[length + strspn(name + length, ".0123456789")] == '\0');
}

static int stores_compare(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

void stores_find(const char *file, struct stores *ret_stores)
{
	const char *slash = strrchr(file, '/');
	const char *base = slash ? slash + 1 : file;
	char *directory = slash ? strndup(file, (size_t)(slash - file) + 1) : memory_strdup("");
	DIR *list = directory ? opendir(*directory ? directory : ".") : NULL;
	struct dirent *entry;

	memset(ret_stores, 0, sizeof(*ret_stores));
	while (list && (entry = readdir(list))) {
		char *path;

		if (!stores_is_one(entry->d_name, base))
			continue;
		path = memory_alloc(strlen(directory) + strlen(entry->d_name) + 1);
		stores_add(ret_stores, strcat(strcpy(path, directory), entry->d_name));
	}
	if (list)
		closedir(list);
	free(directory);
	if (ret_stores->nr)
		qsort(ret_stores->path, ret_stores->nr, sizeof(*ret_stores->path), stores_compare);
}

void stores_free(struct stores *stores)
{
	size_t i;

	for (i = 0; i < stores->nr; i++)
		free(stores->path[i]);
	free(stores->path);
}

static bool stores_is_numbered(const char *suffix)
{
	return suffix[1] && !suffix[1 + strspn(suffix + 1, "0123456789")];
}

/* The store that a child's is named after, to be freed; FILE itself, if it is not a child's. */
static char *stores_first(const char *file)
{
	char *first = memory_strdup(file), *dot;
	size_t length = strlen(file);

	while ((dot = strrchr(first, '.')) && stores_is_numbered(dot)) {
		*dot = '\0';
		if (dot > first && dot[-1] != '/' && !access(first, F_OK))
			length = strlen(first);
	}
	strcpy(first, file)[length] = '\0';
	return first;
}

void stores_of_run(const char *file, struct stores *ret_stores)
{
	char *first = stores_first(file);

	stores_find(first, ret_stores);
	free(first);
}
