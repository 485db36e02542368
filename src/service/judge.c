/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * judge.c - what the recorder does, against what a unit lets its processes do.
 *
 * The recorder maps a library and a file in the state directory, writes to that, changes the
 * protection of code and of guarded pages, and is told by the loader that it is there. Namespaces,
 * users that come and go, and file systems that are read-only but for that directory do it no harm,
 * so most of what hardens a service is not asked for here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "base/program.h"
#include "base/root.h"
#include "calls.h"
#include "environment.h"
#include "judge.h"

#define STATE "/var/lib"
#define LIMIT_DATA_BYTES (16u << 20) /* as the recorder has it */
#define ADDRESS_SHARE 8		     /* likewise: the store is an eighth of RLIMIT_AS at most */

static bool judge_say(const struct judge *judge, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* False, for those who return it. */
static bool judge_say(const struct judge *judge, const char *format, ...)
{
	va_list list;
	char *text;

	va_start(list, format);
	text = memory_print_list(format, list);
	va_end(list);
	complain("%s: %s", judge->unit->name, text);
	free(text);
	return false;
}

/* --- paths ------------------------------------------------------------------------------------ */

/* "-/path" and "+/path" are paths with an exception each; of "/path:options" the options go. */
static char *judge_path_of(char *word)
{
	word += strspn(word, "-+");
	word[strcspn(word, ":")] = '\0';
	return word;
}

/* The length of the longest path in lists KEY= that is PATH or above it; 0: there is none. */
static size_t judge_covered(const struct judge *judge, const char *key, const char *path)
{
	const char *line;
	size_t position = 0, longest = 0;

	while ((line = unit_next(judge->unit, key, &position))) {
		char *word;

		while ((word = unit_word(&line))) {
			const char *at = judge_path_of(word);
			size_t length = strlen(at);

			while (length > 1 && at[length - 1] == '/')
				length--;
			if (length > longest && !strncmp(at, path, length) &&
			    (length == 1 || !path[length] || path[length] == '/'))
				longest = length;
			free(word);
		}
	}
	return longest;
}

static bool judge_paths(const struct judge *judge)
{
	static const char *const hiding[] = {"InaccessiblePaths", "TemporaryFileSystem"};
	const size_t shown = judge_covered(judge, "BindReadOnlyPaths", judge->library) |
			     judge_covered(judge, "BindPaths", judge->library);
	const size_t no_code = judge_covered(judge, "NoExecPaths", judge->library);
	bool good = true;
	size_t i;

	for (i = 0; i < sizeof(hiding) / sizeof(hiding[0]); i++) {
		if (judge_covered(judge, hiding[i], judge->library) > shown)
			good = judge_say(judge, "%s= hides %s", hiding[i], judge->library);
		if (!judge->place->user && judge_covered(judge, hiding[i], STATE "/stackdepot"))
			good = judge_say(judge, "%s= hides " STATE "/stackdepot", hiding[i]);
	}
	if (no_code && judge_covered(judge, "ExecPaths", judge->library) < no_code)
		good = judge_say(judge, "NoExecPaths= forbids to load %s; add it to ExecPaths=",
				 judge->library);
	return good;
}

/* --- another root ----------------------------------------------------------------------------- */

/* The directory that is the service's root, to be freed; NULL: ours. */
static char *judge_root(const struct judge *judge)
{
	const char *below = unit_value(judge->unit, "RootDirectory");
	const char *above = judge->place->root ? judge->place->root : "";

	below = below ? below + strspn(below, "-") : "";
	if (!strcmp(below, "/"))
		below = "";
	return *above || *below ? memory_print("%s%s", above, below) : NULL;
}

static bool judge_library(const struct judge *judge, const char *root)
{
	int fd;

	if (unit_value(judge->unit, "RootImage"))
		return judge_say(judge, "RootImage= is not looked into: if %s is there, --force",
				 judge->library);
	fd = root_open(root, judge->library, O_RDONLY);
	if (fd >= 0) {
		(void)close(fd);
		return true;
	}
	return judge_say(judge, "%s is not in %s: stackdepot-preload has to be installed there",
			 judge->library, root ? root : "/");
}

/* --- the program ------------------------------------------------------------------------------ */

static bool judge_has_user(const struct judge *judge)
{
	const char *user = unit_value(judge->unit, "User");

	return unit_is_set(judge->unit, "DynamicUser") ||
	       (user && strcmp(user, "root") != 0 && strcmp(user, "0") != 0);
}

/* As systemd looks for a program that is named without a directory; to be freed, or NULL. */
static char *judge_search(const char *root, const char *program)
{
	static const char *const places[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
					     "/usr/bin",	"/sbin",	  "/bin"};
	size_t i;

	if (*program == '/')
		return memory_strdup(program);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char *path = memory_print("%s/%s", places[i], program);
		int fd = root_open(root, path, O_PATH);

		if (fd >= 0) {
			(void)close(fd);
			return path;
		}
		free(path);
	}
	return NULL;
}

static bool judge_file(const struct judge *judge, const char *root, const char *program)
{
	const uid_t user = judge_has_user(judge) ? (uid_t)-1 : 0;
	char *path = judge_search(root, program);
	char *trouble = path ? program_trouble(root, path, user, user) : NULL;
	bool good = !trouble || judge_say(judge, "%s", trouble);

	free(trouble);
	free(path);
	return good;
}

/* "+" and "!" before it: with the rights of root, whoever the User= is. */
static bool judge_command(const struct judge *judge, const char *root, const char *line)
{
	char *word = unit_word(&line), *program;
	bool good = true;
	size_t flags;

	if (!word)
		return true;
	flags = strspn(word, "@-:+!|");
	program = unit_expand(judge->unit, word + flags);
	if (judge_has_user(judge) && memchr(word, '+', flags))
		good = judge_say(judge, "ExecStart=+ runs as root, and not as the user to whom the "
					"store belongs");
	if (program)
		good &= judge_file(judge, root, program);
	free(program);
	free(word);
	return good;
}

static bool judge_commands(const struct judge *judge, const char *root)
{
	const char *line;
	size_t position = 0;
	bool good = true, any = false;

	while ((line = unit_next(judge->unit, "ExecStart", &position))) {
		good &= judge_command(judge, root, line);
		any = true;
	}
	return any ? good : judge_say(judge, "has no ExecStart=, so there is nothing to record");
}

/* --- limits ----------------------------------------------------------------------------------- */

/* What "LimitX=soft:hard" has as the soft one; UINT64_MAX: none, or not understood. */
static uint64_t judge_limit(const struct judge *judge, const char *key)
{
	static const char units[] = "KMGT";
	const char *value = unit_value(judge->unit, key), *unit;
	unsigned long long bytes;
	char *end;

	if (!value || *value < '0' || *value > '9')
		return UINT64_MAX;
	bytes = strtoull(value, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	return unit ? (uint64_t)bytes << 10 * (unit - units + 1) : bytes;
}

static bool judge_limits(const struct judge *judge)
{
	if (judge_limit(judge, "LimitFSIZE") < judge->memory_bytes)
		return judge_say(judge, "LimitFSIZE= is less than the store has; --memory");
	if (judge_limit(judge, "LimitAS") / ADDRESS_SHARE < judge->memory_bytes)
		return judge_say(judge, "LimitAS= is less than %d times the store; --memory",
				 ADDRESS_SHARE);
	if (judge_limit(judge, "LimitDATA") < LIMIT_DATA_BYTES)
		return judge_say(judge, "LimitDATA= leaves the recorder no room");
	return true;
}

/* --- the rest --------------------------------------------------------------------------------- */

static bool judge_calls(const struct judge *judge)
{
	char *unknown, *forbidden = calls_forbidden(judge->unit, &unknown);
	bool good = !unknown && !forbidden;

	if (unknown)
		(void)judge_say(
			judge,
			"SystemCallFilter= has %s, and there is no systemd-analyze here to say "
			"what that is",
			unknown);
	if (forbidden)
		(void)judge_say(judge, "SystemCallFilter= forbids what the recorder calls: %s",
				forbidden);
	free(unknown);
	free(forbidden);
	return good;
}

static bool judge_environment(const struct judge *judge)
{
	char *file = environment_file_with(judge->place, judge->unit, "LD_PRELOAD");
	bool good = !file;

	if (file)
		(void)judge_say(judge,
				"%s sets LD_PRELOAD, and counts more than a drop-in: put %s there, "
				"in front",
				file, judge->preload);
	free(file);
	return good;
}

static void judge_notes(const struct judge *judge)
{
	if (unit_is_set(judge->unit, "MemoryDenyWriteExecute"))
		(void)judge_say(
			judge,
			"MemoryDenyWriteExecute= leaves the allocator's code as it is: calls "
			"that go past the names malloc, free ... are not seen");
	if (unit_value(judge->unit, "AppArmorProfile") || unit_value(judge->unit, "SELinuxContext"))
		(void)judge_say(judge,
				"its profile has to allow %s, and writing below " STATE
				"/stackdepot",
				judge->library);
}

bool judge_unit(const struct judge *judge)
{
	char *root = judge_root(judge);
	bool good = judge_library(judge, root);

	/* In an image that is not looked into nothing else is known either. */
	if (!unit_value(judge->unit, "RootImage"))
		good &= judge_commands(judge, root);
	good &= judge_paths(judge);
	good &= judge_limits(judge);
	good &= judge_calls(judge);
	good &= judge_environment(judge);
	judge_notes(judge);
	free(root);
	return good;
}
