/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* spool.c - directories of batches. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/complain.h"
#include "base/hash.h"
#include "base/memory.h"
#include "export/gzip.h"
#include "spool.h"

#define BATCH "batch-"
#define UNFINISHED "unfinished"
#define PRIVATE 0700

static bool spool_failed(const char *path)
{
	complain("%s: %s", path, strerror(errno));
	return false;
}

/* --- files ------------------------------------------------------------------------------------ */

static bool spool_sync(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	bool good = fd >= 0 && !fsync(fd);

	if (fd >= 0)
		(void)close(fd);
	return good || spool_failed(path);
}

static bool spool_write_file(const char *path, const struct rows *rows)
{
	FILE *file = fopen(path, "wbe");
	struct gzip *gzip;
	bool good;

	if (!file)
		return spool_failed(path);
	gzip = gzip_open(file);
	gzip_write(gzip, rows->text, rows->length);
	gzip_close(gzip);
	errno = 0;
	good = !fflush(file) && !ferror(file);
	good = !fclose(file) && good;
	return good ? spool_sync(path, O_RDONLY) : spool_failed(path);
}

bool spool_write(const char *directory, enum fleet_table_number table, const struct rows *rows)
{
	char *path;
	bool good;

	if (!rows->length)
		return true;
	path = memory_print("%s/%s.gz", directory, fleet_tables[table].name);
	good = spool_write_file(path, rows);
	free(path);
	return good;
}

bool spool_read(const char *path, struct rows *ret_rows)
{
	gzFile file = gzopen(path, "rbe");
	char part[65536];
	int length;

	rows_clear(ret_rows);
	if (!file)
		return errno == ENOENT || spool_failed(path);
	while ((length = gzread(file, part, sizeof(part))) > 0)
		rows_add(ret_rows, part, (size_t)length);
	if (gzclose_r(file) == Z_OK && !length)
		return true;
	complain("%s: damaged", path);
	return false;
}

char *spool_file(const struct spool *spool, const char *batch, enum fleet_table_number table)
{
	return memory_print("%s/%s/%s.gz", spool->path, batch, fleet_tables[table].name);
}

/* A directory, with the files in it. */
static void spool_remove_path(const char *path)
{
	DIR *list = opendir(path);
	const struct dirent *entry;

	while (list && (entry = readdir(list)))
		(void)unlinkat(dirfd(list), entry->d_name, 0);
	if (list)
		(void)closedir(list);
	(void)rmdir(path);
}

void spool_remove(const struct spool *spool, const char *batch)
{
	char *path = memory_print("%s/%s", spool->path, batch);

	spool_remove_path(path);
	free(path);
}

/* --- batches ---------------------------------------------------------------------------------- */

static int spool_by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t spool_list(const struct spool *spool, char ***ret_names)
{
	DIR *list = opendir(spool->path);
	const struct dirent *entry;
	char **names = memory_alloc(sizeof(*names));
	size_t nr = 0, room = 1;

	while (list && (entry = readdir(list))) {
		if (strncmp(entry->d_name, BATCH, strlen(BATCH)))
			continue;
		names = memory_room(names, nr, &room, sizeof(*names));
		names[nr++] = memory_strdup(entry->d_name);
	}
	if (list)
		(void)closedir(list);
	if (nr)
		qsort(names, nr, sizeof(*names), spool_by_name);
	*ret_names = names;
	return nr;
}

void spool_list_free(char **names, size_t nr)
{
	while (nr)
		free(names[--nr]);
	free(names);
}

/* What was written, and the state does not know of it: it was never sent. */
static void spool_drop_unknown(const struct spool *spool)
{
	char **names;
	size_t i, nr = spool_list(spool, &names);

	for (i = 0; i < nr; i++)
		if (strtoull(names[i] + strlen(BATCH), NULL, 10) > spool->state->seq)
			spool_remove(spool, names[i]);
	spool_list_free(names, nr);
	spool_remove(spool, UNFINISHED);
}

/* Under its name when all of it is on the disk. */
static bool spool_place(const char *unfinished, const char *path)
{
	return spool_sync(unfinished, O_RDONLY | O_DIRECTORY) &&
	       (!rename(unfinished, path) || spool_failed(path));
}

static bool spool_fill(const char *unfinished, const struct rows tables[FLEET_TABLES])
{
	int i;

	spool_remove_path(unfinished);
	if (mkdir(unfinished, PRIVATE))
		return spool_failed(unfinished);
	for (i = 0; i < FLEET_TABLES; i++)
		if (!spool_write(unfinished, (enum fleet_table_number)i, &tables[i]))
			return false;
	return true;
}

bool spool_keep(const struct spool *spool)
{
	char *path = memory_print("%s/state", spool->path);
	bool good = state_write(spool->state, path);

	free(path);
	return good;
}

bool spool_add(struct spool *spool, const struct rows tables[FLEET_TABLES])
{
	char *unfinished = memory_print("%s/" UNFINISHED, spool->path);
	char *path = memory_print("%s/" BATCH "%020" PRIu64 "-0", spool->path, spool->state->seq);
	bool good = spool_fill(unfinished, tables) && spool_place(unfinished, path) &&
		    spool_sync(spool->path, O_RDONLY | O_DIRECTORY) && spool_keep(spool);

	if (!good)
		spool_remove_path(unfinished);
	free(unfinished);
	free(path);
	return good;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* PATH and the directories above it. */
static bool spool_make(const char *path)
{
	char *copy = memory_strdup(path), *slash = copy;
	bool good = true;

	while (good && (slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		good = !mkdir(copy, PRIVATE) || errno == EEXIST;
		*slash = '/';
	}
	good = good && (!mkdir(copy, PRIVATE) || errno == EEXIST);
	free(copy);
	return good || spool_failed(path);
}

/* What is in it tells what programs do: it is its owner's, and nobody else's. */
static bool spool_is_private(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return spool_failed(path);
	if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 077))
		return true;
	complain("%s: a spool is a directory of one's own that nobody else may read", path);
	return false;
}

static bool spool_take_lock(struct spool *spool)
{
	char *path = memory_print("%s/lock", spool->path);
	bool good;

	spool->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	good = spool->lock >= 0 && !flock(spool->lock, LOCK_EX | LOCK_NB);
	if (!good && errno == EWOULDBLOCK)
		complain("%s: another push is at it", spool->path);
	else if (!good)
		(void)spool_failed(path);
	free(path);
	return good;
}

bool spool_open(struct spool *spool, const char *directory, const char *server, uint64_t bound)
{
	char *state;

	*spool = (struct spool){.lock = -1, .bound = bound};
	spool->path = memory_print("%s/%016" PRIx64, directory, hash_text(HASH_BASIS, server));
	if (!spool_make(spool->path) || !spool_is_private(spool->path) || !spool_take_lock(spool))
		return false;
	state = memory_print("%s/state", spool->path);
	spool->state = state_open(state);
	free(state);
	if (spool->state)
		spool_drop_unknown(spool);
	return spool->state;
}

void spool_close(struct spool *spool)
{
	if (spool->state)
		state_close(spool->state);
	if (spool->lock >= 0)
		(void)close(spool->lock);
	free(spool->path);
}
