/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* target.c - the store that FILE or PID names. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "alive.h"
#include "target.h"

const char *target_error(int error)
{
	switch (error) {
	case -EBADMSG:
		return "not a store, or damaged";
	case -EPROTONOSUPPORT:
		return "a store of another version";
	case -ENODATA:
		return "recording has not begun";
	default:
		return strerror(-error);
	}
}

/* The path in a line of /proc/PID/maps, if it is a shared writable mapping of a file. */
static char *target_map_path(char *line)
{
	char *path = strchr(line, '/'), *mode = strchr(line, ' ');

	if (!path || !mode || strncmp(mode + 1, "rw-s", 4))
		return NULL;
	path[strcspn(path, "\n")] = '\0';
	return path;
}

static bool target_is_store(const char *path)
{
	struct stackdepot_store *store;

	if (stackdepot_store_open(path, &store))
		return false;
	stackdepot_store_close(store);
	return true;
}

static char *target_of_process(const char *pid)
{
	char name[64], line[PATH_MAX + 256], *found = NULL;
	FILE *maps;

	snprintf(name, sizeof(name), "/proc/%.16s/maps", pid);
	maps = fopen(name, "r");
	if (!maps) {
		complain("%s: no file of this name, and no process (%s)", pid, strerror(errno));
		return NULL;
	}
	while (!found && fgets(line, sizeof(line), maps)) {
		char *path = target_map_path(line);

		if (path && target_is_store(path))
			found = memory_strdup(path);
	}
	fclose(maps);
	if (!found)
		complain("process %s is not being recorded", pid);
	return found;
}

char *target_path(const char *name, uint32_t *ret_pid)
{
	struct stat st;

	*ret_pid = 0;
	if (!*name) {
		complain("'': an empty name is neither FILE nor PID");
		return NULL;
	}
	if (name[strspn(name, "0123456789")] == '\0' && stat(name, &st)) {
		*ret_pid = alive_own_number(name);
		return target_of_process(name);
	}
	return memory_strdup(name);
}
