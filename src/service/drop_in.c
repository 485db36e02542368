/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * drop_in.c - a few lines for systemd.
 *
 * The store is in a state directory: systemd makes it, gives it to the user of the moment, lets it
 * be written in whatever else is read-only, and keeps it over restarts. But for each such directory
 * there is a variable, and a service that has none of its own, or takes the variable for one path,
 * would behave otherwise; so it is set to what it would be.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "base/root.h"
#include "drop_in.h"
#include "environment.h"
#include "text/output.h"

#define FIRST_LINE "# Written by `stackdepot service enable`"
#define TEXT_BYTES (64u << 10)
#define DROP_IN_SORTED 251

char *drop_in_store_name(const char *unit_name)
{
	const char *at = strchr(unit_name, '@');
	const int length = (int)(strlen(unit_name) - strlen(".service"));

	/* A template's instances have a store each. */
	if (at && !strcmp(at, "@.service"))
		return memory_print("%.*s%%i", length, unit_name);
	return memory_print("%.*s", length, unit_name);
}

/* --- the variable ----------------------------------------------------------------------------- */

struct drop_in_paths {
	char **paths;
	size_t nr;
	size_t room;
};

/* As systemd compares paths: component after component. */
static int drop_in_compare(const void *a, const void *b)
{
	const char *left = *(char *const *)a, *right = *(char *const *)b;

	while (*left && *left == *right) {
		left++;
		right++;
	}
	return (*left == '/' ? 1 : (unsigned char)*left) -
	       (*right == '/' ? 1 : (unsigned char)*right);
}

/* Does systemd sort these directories? Since 251 it does; that of an image is taken for one. */
static bool drop_in_sorts(const struct unit_place *place)
{
	FILE *file = place->root ? NULL : popen("systemctl --version 2>/dev/null", "re");
	int version = DROP_IN_SORTED;

	if (file && fscanf(file, "systemd %d", &version) != 1)
		version = DROP_IN_SORTED;
	if (file)
		(void)pclose(file);
	return version >= DROP_IN_SORTED;
}

static void drop_in_add_paths(const char *line, struct drop_in_paths *list)
{
	char *word;

	while ((word = unit_word(&line))) {
		/* What follows a colon is a link, for which there is no variable. */
		word[strcspn(word, ":")] = '\0';
		list->paths = memory_room(list->paths, list->nr, &list->room, sizeof(*list->paths));
		list->paths[list->nr++] = word;
	}
}

/* "%S/a:%S/b" of a and b. */
static char *drop_in_join(const struct drop_in_paths *list)
{
	char *state = NULL;
	size_t i;

	for (i = 0; i < list->nr; i++) {
		char *longer;

		if (i && !strcmp(list->paths[i - 1], list->paths[i]))
			continue;
		longer = memory_print("%s%s%%S/%s", state ? state : "", state ? ":" : "",
				      list->paths[i]);
		free(state);
		state = longer;
	}
	return state;
}

/* STATE_DIRECTORY as it would be; NULL: there would be none. */
static char *drop_in_state(const struct unit_place *place, const struct unit *unit)
{
	struct drop_in_paths list = {0};
	const char *line;
	size_t position = 0, i;
	char *state;

	while ((line = unit_next(unit, "StateDirectory", &position)))
		drop_in_add_paths(line, &list);
	if (list.nr > 1 && drop_in_sorts(place))
		qsort(list.paths, list.nr, sizeof(*list.paths), drop_in_compare);
	state = drop_in_join(&list);
	for (i = 0; i < list.nr; i++)
		free(list.paths[i]);
	free(list.paths);
	return state;
}

/* --- the text --------------------------------------------------------------------------------- */

static void drop_in_variable(FILE *file, const char *name, const char *value)
{
	char *word = memory_print("%s=%s", name, value), *quoted = unit_quote(word);

	(void)fprintf(file, "Environment=%s\n", quoted);
	free(quoted);
	free(word);
}

/* What the unit sets itself, or reads from a file, stays what it is. */
static void drop_in_restore(const struct unit_place *place, const struct unit *unit, FILE *file)
{
	char *own = environment_value(unit, "STATE_DIRECTORY");
	char *read = environment_file_with(place, unit, "STATE_DIRECTORY");
	char *state = own || read ? NULL : drop_in_state(place, unit);

	if (state)
		drop_in_variable(file, "STATE_DIRECTORY", state);
	else if (!own && !read)
		(void)fputs("UnsetEnvironment=STATE_DIRECTORY\n", file);
	free(state);
	free(read);
	free(own);
}

/* The recorder comes first: who comes after it in the order of symbols is called below it. */
static void drop_in_preload(const struct unit *unit, const char *preload, FILE *file)
{
	char *own = environment_value(unit, "LD_PRELOAD");
	char *both = memory_print("%s%s%s", preload, own && *own ? ":" : "", own ? own : "");

	drop_in_variable(file, "LD_PRELOAD", both);
	free(both);
	free(own);
}

char *drop_in_text(const struct unit_place *place, const struct unit *unit, const char *preload,
		   const char *options)
{
	char *text = NULL, *name = drop_in_store_name(unit->name), *directory = unit_quote(name);
	size_t bytes = 0;
	FILE *file = open_memstream(&text, &bytes);

	if (!file)
		memory_out();
	(void)fprintf(file,
		      FIRST_LINE "; `stackdepot service disable %s%s` takes it away.\n[Service]\n",
		      place->user ? "--user " : "", unit->name);
	drop_in_preload(unit, preload, file);
	drop_in_variable(file, "STACKDEPOT_OPTIONS", options);
	(void)fprintf(file, "StateDirectory=\"stackdepot/%s\n", directory + 1);
	drop_in_restore(place, unit, file);
	if (fclose(file))
		memory_out();
	free(directory);
	free(name);
	return text;
}

/* --- the file --------------------------------------------------------------------------------- */

/* PATH below the root, through links as that root has them; to be freed, NULL and errno. */
static char *drop_in_directory(const struct unit_place *place, const char *path)
{
	int fd = root_open(place->root, path, O_PATH | O_DIRECTORY);
	char *link, *directory;

	if (fd < 0)
		return NULL;
	link = memory_print("/proc/self/fd/%d", fd);
	directory = realpath(link, NULL);
	free(link);
	(void)close(fd);
	return directory;
}

/* Makes the directory PATH, and those above it, below the root. NULL and errno. */
static char *drop_in_make(const struct unit_place *place, const char *path)
{
	char *found = drop_in_directory(place, path), *copy, *above, *made;

	if (found || errno != ENOENT || !strcmp(path, "/"))
		return found;
	copy = memory_strdup(path);
	above = drop_in_make(place, dirname(copy));
	free(copy);
	if (!above)
		return NULL;
	made = memory_print("%s/%s", above, strrchr(path, '/') + 1);
	free(above);
	if (!mkdir(made, 0755) || errno == EEXIST)
		found = drop_in_directory(place, path);
	free(made);
	return found;
}

static bool drop_in_complain(const struct unit_place *place, const char *path)
{
	const char *hint = errno == EACCES || errno == EPERM ? geteuid() ? "; root may" : "" : "";

	complain("service: %s%s: %s%s", place->root ? place->root : "", path, strerror(errno),
		 hint);
	return false;
}

/* Whole or not at all, and for all to read: nothing secret is in it. */
static bool drop_in_replace(const char *path, const char *text)
{
	const mode_t mask = umask(022);
	struct output output;
	bool good = output_open(&output, path);

	if (good) {
		(void)fputs(text, output.file);
		good = output_finish(&output);
	}
	(void)umask(mask);
	return good;
}

bool drop_in_write(const struct unit_place *place, const char *path, const char *text)
{
	char *copy = memory_strdup(path), *directory = drop_in_make(place, dirname(copy)), *whole;
	bool good;

	free(copy);
	if (!directory)
		return drop_in_complain(place, path);
	whole = memory_print("%s/%s", directory, strrchr(path, '/') + 1);
	good = drop_in_replace(whole, text);
	free(whole);
	free(directory);
	return good;
}

/* The directory goes, too, if nothing else is in it. */
static int drop_in_remove_in(const struct unit_place *place, const char *directory,
			     const char *path)
{
	char *whole = memory_print("%s/%s", directory, strrchr(path, '/') + 1);
	bool good = !unlink(whole);
	int result = good ? 1 : errno == ENOENT ? 0 : drop_in_complain(place, path) - 1;

	if (good)
		(void)rmdir(directory);
	free(whole);
	return result;
}

int drop_in_remove(const struct unit_place *place, const char *path)
{
	char *copy = memory_strdup(path), *directory = drop_in_directory(place, dirname(copy));
	int result;

	free(copy);
	if (!directory && errno != ENOENT)
		return drop_in_complain(place, path) - 1;
	result = directory ? drop_in_remove_in(place, directory, path) : 0;
	free(directory);
	return result;
}

char *drop_in_read(const struct unit_place *place, const char *path)
{
	int fd = root_open(place->root, path, O_RDONLY);
	char *text = memory_alloc(TEXT_BYTES);
	ssize_t length = fd < 0 ? -1 : read(fd, text, TEXT_BYTES - 1);

	if (fd >= 0)
		(void)close(fd);
	if (length > 0 && !strncmp(text, FIRST_LINE, strlen(FIRST_LINE)))
		return text;
	free(text);
	return NULL;
}

/* What the recorder is given, as systemd reads it: between quotes, with backslashes. */
static char *drop_in_options(const char *text)
{
	static const char key[] = "Environment=", variable[] = "STACKDEPOT_OPTIONS=";
	const char *line, *at;
	char *word;

	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		at = line + strlen(key);
		word = unit_word(&at);
		if (word && !strncmp(word, variable, strlen(variable)))
			return memmove(word, word + strlen(variable),
				       strlen(word + strlen(variable)) + 1);
		free(word);
	}
	return NULL;
}

char *drop_in_option(const char *text, const char *name)
{
	const size_t length = strlen(name);
	char *options = drop_in_options(text), *rest = options, *one, *value = NULL;

	while (!value && (one = strsep(&rest, ":")))
		if (!strncmp(one, name, length) && one[length] == '=')
			value = memory_strdup(one + length + 1);
	free(options);
	return value;
}
