/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * alive.c - is the process of a store still there?
 *
 * A number means a process in one PID name space and for one life. A store has both, so a process
 * of a container is looked for among those that are seen from here under other numbers.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alive.h"

#define ALIVE_PATH_BYTES 64

/* The first bytes of /proc/NAME/LEAF as a string, empty if there is none. */
static const char *alive_read(const char *name, const char *leaf, char *text, size_t bytes)
{
	char path[ALIVE_PATH_BYTES];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.20s/%s", name, leaf);
	file = fopen(path, "re");
	length = file ? fread(text, 1, bytes - 1, file) : 0;
	text[length] = '\0';
	if (file)
		fclose(file);
	return text;
}

/* 0: there is none, or, with *RET_HIDDEN, who we are may not see it. */
static uint64_t alive_namespace(const char *name, bool *ret_hidden)
{
	char path[ALIVE_PATH_BYTES];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%.20s/ns/pid", name);
	*ret_hidden = false;
	if (!stat(path, &st))
		return st.st_ino;
	*ret_hidden = errno == EACCES || errno == EPERM;
	return 0;
}

static uint64_t alive_own_namespace(void)
{
	bool hidden;

	return alive_namespace("self", &hidden);
}

/* Not a zombie, and begun when it should have. */
static bool alive_as_noted(const char *name, const struct stackdepot_store_info *info)
{
	char text[1024];
	const char *at = strrchr(alive_read(name, "stat", text, sizeof(text)), ')');
	int field;

	if (!at || at[1] != ' ' || strchr("ZXx", at[2]))
		return false;
	for (field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at && (!info->start_ticks || strtoull(at, NULL, 10) == info->start_ticks);
}

/* The number that the process has in its own name space: the last that is listed. */
uint32_t alive_own_number(const char *name)
{
	char text[4096], *at = strstr(alive_read(name, "status", text, sizeof(text)), "\nNSpid:");
	uint32_t number = 0;

	if (!at)
		return 0;
	for (at += strlen("\nNSpid:"); *at && *at != '\n';)
		number = (uint32_t)strtoul(at, &at, 10);
	return number;
}

/*
 * The name space of a process takes the right to trace it. Without, what everybody may read has to
 * do: its number there, and when it began, to the tick.
 */
static bool alive_is_it(const char *name, const struct stackdepot_store_info *info)
{
	bool hidden;
	const uint64_t where = alive_namespace(name, &hidden);

	if (where ? where != info->pid_namespace : !hidden || !info->start_ticks)
		return false;
	return alive_own_number(name) == info->pid && alive_as_noted(name, info);
}

static bool alive_elsewhere(const struct stackdepot_store_info *info)
{
	DIR *list = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	while (list && !found && (entry = readdir(list))) {
		const char *name = entry->d_name;

		found = strspn(name, "0123456789") == strlen(name) && alive_is_it(name, info);
	}
	if (list)
		closedir(list);
	return found;
}

/* Has /proc the numbers of our own name space? */
static bool alive_can_look(void)
{
	char own[32] = "";

	return readlink("/proc/self", own, sizeof(own) - 1) > 0 && atoi(own) == (int)getpid();
}

bool alive_is_near(const struct stackdepot_store_info *info)
{
	return info->pid_namespace && alive_can_look() &&
	       alive_own_namespace() == info->pid_namespace;
}

bool alive_is_there(const struct stackdepot_store_info *info)
{
	char name[16];

	if (info->present >= 0)
		return info->present;
	if (!info->pid || info->pid > INT_MAX)
		return false;
	if (!info->pid_namespace || !alive_can_look())
		return !kill((pid_t)info->pid, 0) || errno == EPERM;
	if (!alive_is_near(info))
		return alive_elsewhere(info);
	snprintf(name, sizeof(name), "%u", info->pid);
	return alive_as_noted(name, info);
}

bool alive_is_running(const struct stackdepot_store_info *info)
{
	return info->state == STACKDEPOT_STORE_RUNNING && alive_is_there(info);
}

bool alive_is_same(const struct stackdepot_store_info *a, const struct stackdepot_store_info *b)
{
	return a->pid == b->pid && a->pid_namespace == b->pid_namespace &&
	       a->start_ticks == b->start_ticks && a->start_ticks;
}
