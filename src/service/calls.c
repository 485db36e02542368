/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* calls.c - a filter in words against the list of what the recorder may call. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/memory.h"
#include "calls.h"

#define GROUPS_DEEP 8 /* groups of groups of ... */

/* Every call that the recorder makes, as its filter.c has them: a test compares the two. */
static const char *const calls[] = {
	"clock_gettime",
	"clock_nanosleep",
	"close",
	"dup",
	"faccessat2",
	"fallocate",
	"fcntl",
	"fdatasync",
	"fgetxattr",
	"fstatfs",
	"ftruncate",
	"futex",
	"getcwd",
	"getegid",
	"geteuid",
	"getpid",
	"getppid",
	"getrandom",
	"gettid",
	"getuid",
	"kill",
	"madvise",
	"mmap",
	"mprotect",
	"munmap",
	"newfstatat",
	"openat",
	"prctl",
	"pread64",
	"prlimit64",
	"pwrite64",
	"read",
	"rt_sigaction",
	"rt_sigpending",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_tgsigqueueinfo",
	"shmctl",
	"sigaltstack",
	"tgkill",
	"write",
#ifdef SYS_readlink
	"readlink",
	"rename",
	"unlink",
#else
	"readlinkat",
	"renameat",
	"unlinkat",
#endif
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* --- groups, as the systemd that is here has them --------------------------------------------- */

/* All of it: "@group", and indented what is in it. NULL: there is no systemd here. */
static char *calls_groups(void)
{
	FILE *file = popen("LC_ALL=C systemd-analyze --no-pager syscall-filter 2>/dev/null", "re");
	char *text = NULL;
	size_t bytes = 0;
	FILE *memory = open_memstream(&text, &bytes);
	char buffer[4096];
	size_t length;

	while (file && memory && (length = fread(buffer, 1, sizeof(buffer), file)))
		(void)fwrite(buffer, 1, length, memory);
	if (memory)
		(void)fclose(memory);
	if (file && !pclose(file) && bytes)
		return text;
	free(text);
	return NULL;
}

/* What stands below "@group", up to the next group; NULL: it is none. */
static const char *calls_of_group(const char *groups, const char *group)
{
	const size_t length = strlen(group);
	const char *at = groups;

	while (at) {
		if (!strncmp(at, group, length) && at[length] == '\n')
			return at + length + 1;
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return NULL;
}

/* Is CALL in NAME, a call or a group? A group's lines are indented, and an empty one ends it. */
static bool calls_is_in(const char *groups, const char *name, const char *call, unsigned int depth)
{
	const char *at = *name == '@' && groups ? calls_of_group(groups, name) : NULL;
	char word[64];

	if (*name != '@')
		return !strcmp(name, call);
	while (at && *at == ' ' && depth < GROUPS_DEEP) {
		if (sscanf(at, " %63s", word) == 1 && *word != '#' &&
		    calls_is_in(groups, word, call, depth + 1))
			return true;
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return false;
}

/* --- the filter ------------------------------------------------------------------------------- */

struct calls_filter {
	const struct unit *unit;
	const char *groups;
	char *unknown;
	bool any;
	bool allow_list; /* else what it names is forbidden */
	bool in[CALLS];
};

static void calls_change(struct calls_filter *filter, const char *name, bool in)
{
	size_t i;

	if (*name == '@' && (!filter->groups || !calls_of_group(filter->groups, name)) &&
	    !filter->unknown)
		filter->unknown = memory_strdup(name);
	for (i = 0; i < CALLS; i++)
		if (calls_is_in(filter->groups, name, calls[i], 0))
			filter->in[i] = in;
}

/* The first line says which kind of list it is; one of the other kind takes away from it. */
static void calls_line(struct calls_filter *filter, const char *line)
{
	const bool inverted = *line == '~';
	char *word;

	if (!filter->any) {
		filter->any = true;
		filter->allow_list = !inverted;
		if (filter->allow_list)
			calls_change(filter, "@default", true);
	}
	line += inverted;
	while ((word = unit_word(&line))) {
		word[strcspn(word, ":")] = '\0';
		calls_change(filter, word, inverted != filter->allow_list);
		free(word);
	}
}

static char *calls_list(const struct calls_filter *filter)
{
	char *list = NULL;
	size_t i;

	for (i = 0; filter->any && i < CALLS; i++) {
		char *longer;

		if (filter->in[i] == filter->allow_list)
			continue;
		longer = list ? memory_print("%s, %s", list, calls[i]) : memory_strdup(calls[i]);
		free(list);
		list = longer;
	}
	return list;
}

char *calls_forbidden(const struct unit *unit, char **ret_unknown)
{
	struct calls_filter filter = {.unit = unit};
	size_t position = 0;
	const char *line = unit_next(unit, "SystemCallFilter", &position);
	char *groups = line ? calls_groups() : NULL;

	filter.groups = groups;
	for (; line; line = unit_next(unit, "SystemCallFilter", &position))
		calls_line(&filter, line);
	free(groups);
	*ret_unknown = filter.unknown;
	return filter.unknown ? NULL : calls_list(&filter);
}
