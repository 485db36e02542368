/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stores.c - the stores of one run: FILE, and FILE.PID for children and those who exec(). */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static void stores_add(struct stores *stores, char *path)
{
	stores->path = realloc(stores->path, (stores->nr + 1) * sizeof(*stores->path));
	if (!stores->path)
		abort();
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
	char *directory = slash ? strndup(file, (size_t)(slash - file) + 1) : cli_strdup("./");
	DIR *list = directory ? opendir(directory) : NULL;
	struct dirent *entry;

	memset(ret_stores, 0, sizeof(*ret_stores));
	while (list && (entry = readdir(list))) {
		char *path;

		if (!stores_is_one(entry->d_name, base))
			continue;
		path = cli_alloc(strlen(directory) + strlen(entry->d_name) + 1);
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

bool stores_live(const char *path, double *ret_bytes, double *ret_objects)
{
	struct stackdepot_stack *stacks;
	struct stackdepot_store *store;
	size_t i, nr = 0;

	if (stackdepot_store_open(path, &store))
		return false;
	*ret_bytes = *ret_objects = 0;
	if (stackdepot_store_stacks(store, &stacks, &nr))
		stacks = NULL;
	for (i = 0; stacks && i < nr; i++) {
		*ret_bytes += stacks[i].bytes;
		*ret_objects += stacks[i].objects;
	}
	free(stacks);
	stackdepot_store_close(store);
	return true;
}

static bool stores_is_numbered(const char *suffix)
{
	return suffix[1] && !suffix[1 + strspn(suffix + 1, "0123456789")];
}

/* The store that a child's is named after, to be freed; FILE itself, if it is not a child's. */
static char *stores_first(const char *file)
{
	char *first = cli_strdup(file), *dot;
	size_t length = strlen(file);

	while ((dot = strrchr(first, '.')) && stores_is_numbered(dot)) {
		*dot = '\0';
		if (dot > first && dot[-1] != '/' && !access(first, F_OK))
			length = strlen(first);
	}
	strcpy(first, file)[length] = '\0';
	return first;
}

/* Which one has the most live, -1 if there is none; and how many are stores at all. */
static ssize_t stores_largest(const struct stores *stores, size_t *ret_nr, double *ret_bytes)
{
	double bytes, objects, most_bytes = 0;
	ssize_t most = -1;
	size_t i, nr = 0;

	for (i = 0; i < stores->nr; i++) {
		if (!stores_live(stores->path[i], &bytes, &objects))
			continue;
		nr++;
		if (most >= 0 && bytes <= most_bytes)
			continue;
		most = (ssize_t)i;
		most_bytes = bytes;
	}
	*ret_nr = nr;
	*ret_bytes = most_bytes;
	return most;
}

void stores_print_others(const char *file)
{
	char *first, text[TEXT_BYTES];
	struct stores stores;
	ssize_t largest;
	double bytes;
	size_t nr;

	if (access(file, F_OK))
		return; /* a PID */
	first = stores_first(file);
	stores_find(first, &stores);
	largest = stores_largest(&stores, &nr, &bytes);
	if (nr > 1)
		printf("\n%zu more store%s of this run, named %s and %s.*; %s has the most live, "
		       "%s.\n",
		       nr - 1, nr > 2 ? "s" : "", first, first, stores.path[largest],
		       text_bytes(bytes, text));
	stores_free(&stores);
	free(first);
}
