/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * find.c - the stores of this host.
 *
 * Directories are gone through by descriptor, so that what was checked is what is opened. There
 * are two walks: the first notes when each store was last written to, and so how old one may be to
 * be among the youngest; the second hands those out.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "find.h"

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

struct find_file {
	dev_t device;
	ino_t inode;
	int64_t written_ns;
};

struct find {
	struct find_counts counts;
	struct find_file *files; /* seen in this walk */
	size_t nr;
	size_t room;
	int64_t oldest_ns; /* that is handed out */
	size_t left;	   /* may still be handed out */
	find_fn *found;	   /* NULL: in the first walk */
	void *context;
	bool enough;
	char path[FIND_PATH_BYTES];
};

static int64_t find_written_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* Has it been met under another name? Else it is noted. */
static bool find_again(struct find *find, const struct stat *st)
{
	size_t i;

	for (i = 0; i < find->nr; i++)
		if (find->files[i].inode == st->st_ino && find->files[i].device == st->st_dev)
			return true;
	find->files = memory_room(find->files, find->nr, &find->room, sizeof(*find->files));
	find->files[find->nr++] = (struct find_file){st->st_dev, st->st_ino, find_written_ns(st)};
	find->enough |= find->nr >= FIND_FILES;
	return false;
}

static void find_take(struct find *find, int fd, const struct stat *st)
{
	const struct find_store store = {fd, find->path, *st};

	if (find_again(find, st) || !find->found)
		return;
	if (!find->left || find_written_ns(st) < find->oldest_ns) {
		find->counts.left_out++;
		return;
	}
	find->left--;
	find->enough |= !find->found(find->context, &store);
}

/* Append a name to the path; where it ended before, or SIZE_MAX if there is no room. */
static size_t find_enter(struct find *find, const char *name)
{
	size_t length = strlen(find->path);

	if (length + strlen(name) + 2 > sizeof(find->path)) {
		find->counts.left_out++;
		return SIZE_MAX;
	}
	if (!length || find->path[length - 1] != '/')
		strcat(find->path, "/");
	strcat(find->path, name);
	return length;
}

static bool find_is_ours(uid_t owner, const struct stat *directory)
{
	return owner == directory->st_uid || owner == 0 || owner == geteuid();
}

/*
 * A name in a directory that somebody else may write. A descriptor of a directory or of a regular
 * file, or -1.
 */
static int find_open_at(struct find *find, int directory, const char *name, struct stat *ret_st)
{
	int fd;

	if (fstatat(directory, name, ret_st, AT_SYMLINK_NOFOLLOW))
		return -1;
	if (S_ISLNK(ret_st->st_mode))
		find->counts.links++;
	if (!S_ISDIR(ret_st->st_mode) && !S_ISREG(ret_st->st_mode))
		return -1;
	fd = openat(directory, name, OPEN_FLAGS | O_NOFOLLOW);
	if (fd >= 0 && !fstat(fd, ret_st) && (S_ISDIR(ret_st->st_mode) || S_ISREG(ret_st->st_mode)))
		return fd;
	if (fd < 0 && errno != ENOENT)
		find->counts.unreadable++;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* --- directories ------------------------------------------------------------------------------ */

typedef void find_name_fn(struct find *find, int directory, const char *name, const char *rest);

/* Each name in a directory that matches; FD is closed. */
static void find_each(struct find *find, int fd, const char *pattern, find_name_fn *each,
		      const char *rest)
{
	DIR *list = fdopendir(fd);
	struct dirent *entry;
	size_t nr = 0;

	if (!list) {
		(void)close(fd);
		return;
	}
	while (!find->enough && nr++ < FIND_ENTRIES && (entry = readdir(list)))
		if (!fnmatch(pattern, entry->d_name, FNM_PERIOD))
			each(find, dirfd(list), entry->d_name, rest);
	(void)closedir(list);
}

static void find_file_in(struct find *find, int directory, const char *name, const char *rest)
{
	size_t length = find_enter(find, name);
	struct stat st, above;
	int fd;

	(void)rest;
	if (length == SIZE_MAX)
		return;
	fd = find_open_at(find, directory, name, &st);
	if (fd >= 0 && S_ISREG(st.st_mode) && !fstat(directory, &above)) {
		if (find_is_ours(st.st_uid, &above))
			find_take(find, fd, &st);
		else
			find->counts.foreign++;
	}
	if (fd >= 0)
		(void)close(fd);
	find->path[length] = '\0';
}

static void find_in(struct find *find, int fd, const char *pattern);

static void find_directory_in(struct find *find, int directory, const char *name, const char *rest)
{
	size_t length = find_enter(find, name);
	struct stat st;
	int fd;

	if (length == SIZE_MAX)
		return;
	fd = find_open_at(find, directory, name, &st);
	if (fd >= 0 && S_ISDIR(st.st_mode))
		find_in(find, fd, rest); /* and closes it */
	else if (fd >= 0)
		(void)close(fd);
	find->path[length] = '\0';
}

/* The last part of a pattern: files, or directories with stores in them. */
static void find_last_in(struct find *find, int directory, const char *name, const char *rest)
{
	struct stat st;

	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW))
		return;
	if (S_ISDIR(st.st_mode))
		find_directory_in(find, directory, name, rest);
	else
		find_file_in(find, directory, name, rest);
}

/* What matches PATTERN in a directory; its stores, if nothing is left of the pattern. Closes FD. */
static void find_in(struct find *find, int fd, const char *pattern)
{
	char part[FIND_PATH_BYTES];
	size_t length;

	pattern += strspn(pattern, "/");
	length = strcspn(pattern, "/");
	if (!length) {
		find_each(find, fd, "*" FIND_SUFFIX, find_file_in, "");
		return;
	}
	snprintf(part, sizeof(part), "%.*s", (int)length, pattern);
	pattern += length;
	find_each(find, fd, part, pattern[strspn(pattern, "/")] ? find_directory_in : find_last_in,
		  pattern);
}

/* --- places ----------------------------------------------------------------------------------- */

/* How much of a place comes before the part with the first wildcard. */
static size_t find_fixed(const char *place)
{
	size_t wild = strcspn(place, "*?["), length = wild;

	if (!place[wild])
		return wild;
	while (length && place[length - 1] != '/')
		length--;
	return length;
}

static void find_place(struct find *find, const char *place)
{
	size_t fixed = find_fixed(place);
	struct stat st;
	int fd;

	if (strlen(place) >= sizeof(find->path)) {
		find->counts.left_out++;
		return;
	}
	snprintf(find->path, sizeof(find->path), "%.*s", (int)fixed, place);
	fd = open(find->path, OPEN_FLAGS);
	if (fd < 0) {
		find->counts.unreadable += errno != ENOENT && errno != ENOTDIR;
		return;
	}
	if (fstat(fd, &st) || !S_ISDIR(st.st_mode)) {
		if (S_ISREG(st.st_mode))
			find_take(find, fd, &st);
		(void)close(fd);
		return;
	}
	find_in(find, fd, place + fixed);
}

static int find_youngest_first(const void *a, const void *b)
{
	const struct find_file *left = a, *right = b;

	return left->written_ns > right->written_ns ? -1 : left->written_ns < right->written_ns;
}

static void find_walk(struct find *find, char *const *places, size_t nr)
{
	size_t i;

	find->nr = 0;
	find->enough = false;
	find->counts = (struct find_counts){0};
	for (i = 0; i < nr && !find->enough; i++)
		find_place(find, places[i]);
}

void find_add_place(char ***places, size_t *nr, const char *place)
{
	char *here = *place == '/' ? NULL : getcwd(NULL, 0);

	*places = memory_realloc(*places, (*nr + 1) * sizeof(**places));
	(*places)[(*nr)++] = here ? memory_print("%s/%s", here, place) : memory_strdup(place);
	free(here);
}

void find_stores(char *const *places, size_t nr, find_fn *found, void *context,
		 struct find_counts *ret_counts)
{
	struct find find = {.left = FIND_STORES, .oldest_ns = INT64_MIN};

	find_walk(&find, places, nr);
	if (find.nr > FIND_STORES) {
		qsort(find.files, find.nr, sizeof(*find.files), find_youngest_first);
		find.oldest_ns = find.files[FIND_STORES - 1].written_ns;
	}
	find.found = found;
	find.context = context;
	find_walk(&find, places, nr);
	free(find.files);
	*ret_counts = find.counts;
}
