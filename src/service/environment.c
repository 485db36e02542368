/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* environment.c - Environment= and EnvironmentFile=, of which the latter counts more. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/root.h"
#include "environment.h"

static void environment_line(const char *line, const char *name, char **value)
{
	const size_t length = strlen(name);
	char *word;

	while ((word = unit_word(&line))) {
		if (!strncmp(word, name, length) && word[length] == '=') {
			free(*value);
			*value = memory_strdup(word + length + 1);
		}
		free(word);
	}
}

char *environment_value(const struct unit *unit, const char *name)
{
	char *value = NULL;
	const char *line;
	size_t position = 0;

	while ((line = unit_next(unit, "Environment", &position)))
		environment_line(line, name, &value);
	return value;
}

static bool environment_sets(FILE *file, const char *name)
{
	const size_t length = strlen(name);
	char *line = NULL;
	size_t room = 0;
	bool sets = false;

	while (!sets && getline(&line, &room, file) >= 0) {
		const char *at = line + strspn(line, " \t");

		sets = !strncmp(at, name, length) && at[length + strspn(at + length, " \t")] == '=';
	}
	free(line);
	return sets;
}

char *environment_file_with(const struct unit_place *place, const struct unit *unit,
			    const char *name)
{
	const char *line;
	size_t position = 0;

	while ((line = unit_next(unit, "EnvironmentFile", &position))) {
		char *path = unit_expand(unit, line + strspn(line, "-"));
		int fd = path ? root_open(place->root, path, O_RDONLY) : -1;
		FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
		bool sets = file && environment_sets(file, name);

		if (file)
			(void)fclose(file);
		if (sets)
			return path;
		free(path);
	}
	return NULL;
}
