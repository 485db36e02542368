/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* unit.c - where units are, and what is said of one in which order. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "base/root.h"
#include "unit.h"

#define SUFFIX ".service"
#define OWN "stackdepot.conf"
#define NAME_BYTES 255
#define ALIASES 8
#define FILE_BYTES (1u << 20)

struct unit_setting {
	char *key;
	char *value;
};

/* --- names ------------------------------------------------------------------------------------ */

char *unit_full_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-@\\";
	static const char *const others[] = {".socket", ".timer",    ".target", ".mount",
					     ".slice",	".scope",    ".path",	".device",
					     ".swap",	".automount"};
	const char *dot = strrchr(name, '.');
	size_t i;

	for (i = 0; dot && i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(dot, others[i])) {
			complain("service: %s is not a service", name);
			return NULL;
		}
	/* A colon, which systemd allows, would end the name of a store in its options. */
	if (!*name || *name == '.' || *name == '@' || name[strspn(name, letters)] ||
	    strlen(name) > NAME_BYTES - sizeof(SUFFIX)) {
		complain("service: '%s' is no name of a service", name);
		return NULL;
	}
	return memory_print("%s%s", name, dot && !strcmp(dot, SUFFIX) ? "" : SUFFIX);
}

/* "a@.service" of "a@b.service"; NULL: it is no instance. */
static char *unit_template(const char *name)
{
	const char *at = strchr(name, '@');

	return at && strcmp(at + 1, SUFFIX) ? memory_print("%.*s@" SUFFIX, (int)(at - name), name)
					    : NULL;
}

/* --- directories ------------------------------------------------------------------------------ */

struct unit_list {
	char **names;
	size_t nr;
	size_t room;
};

static void unit_list_add(struct unit_list *list, char *name)
{
	list->names = memory_room(list->names, list->nr + 1, &list->room, sizeof(*list->names));
	list->names[list->nr++] = name;
	list->names[list->nr] = NULL;
}

static void unit_list_free(struct unit_list *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		free(list->names[i]);
	free(list->names);
}

/* From the first that counts; NULL where a variable is not set. */
static const struct {
	bool user;
	const char *variable;
	const char *below;     /* it, or below what it names */
	const char *otherwise; /* of HOME, if the variable is not set */
} unit_directories[] = {
	{false, NULL, "/etc/systemd/system.control", NULL},
	{false, NULL, "/run/systemd/system.control", NULL},
	{false, NULL, "/run/systemd/transient", NULL},
	{false, NULL, "/run/systemd/generator.early", NULL},
	{false, NULL, "/etc/systemd/system", NULL},
	{false, NULL, "/etc/systemd/system.attached", NULL},
	{false, NULL, "/run/systemd/system", NULL},
	{false, NULL, "/run/systemd/system.attached", NULL},
	{false, NULL, "/run/systemd/generator", NULL},
	{false, NULL, "/usr/local/lib/systemd/system", NULL},
	{false, NULL, "/usr/lib/systemd/system", NULL},
	{false, NULL, "/lib/systemd/system", NULL},
	{false, NULL, "/run/systemd/generator.late", NULL},
	{true, "XDG_CONFIG_HOME", "/systemd/user.control", "/.config"},
	{true, "XDG_RUNTIME_DIR", "/systemd/user.control", NULL},
	{true, "XDG_RUNTIME_DIR", "/systemd/transient", NULL},
	{true, "XDG_RUNTIME_DIR", "/systemd/generator.early", NULL},
	{true, "XDG_CONFIG_HOME", "/systemd/user", "/.config"},
	{true, NULL, "/etc/systemd/user", NULL},
	{true, "XDG_RUNTIME_DIR", "/systemd/user", NULL},
	{true, NULL, "/run/systemd/user", NULL},
	{true, "XDG_RUNTIME_DIR", "/systemd/generator", NULL},
	{true, "XDG_DATA_HOME", "/systemd/user", "/.local/share"},
	{true, NULL, "/usr/local/share/systemd/user", NULL},
	{true, NULL, "/usr/share/systemd/user", NULL},
	{true, NULL, "/usr/local/lib/systemd/user", NULL},
	{true, NULL, "/usr/lib/systemd/user", NULL},
	{true, "XDG_RUNTIME_DIR", "/systemd/generator.late", NULL},
};

static char *unit_directory(size_t i)
{
	const char *base = unit_directories[i].variable ? getenv(unit_directories[i].variable) : "";
	const char *home = getenv("HOME");

	if (base && (!unit_directories[i].variable || *base == '/'))
		return memory_print("%s%s", base, unit_directories[i].below);
	if (!unit_directories[i].otherwise || !home || *home != '/')
		return NULL;
	return memory_print("%s%s%s", home, unit_directories[i].otherwise,
			    unit_directories[i].below);
}

static void unit_directories_of(const struct unit_place *place, struct unit_list *ret_list)
{
	size_t i;

	*ret_list = (struct unit_list){0};
	for (i = 0; i < sizeof(unit_directories) / sizeof(unit_directories[0]); i++) {
		char *name = unit_directories[i].user == place->user ? unit_directory(i) : NULL;

		if (name)
			unit_list_add(ret_list, name);
	}
}

static char *unit_own_place(const struct unit_place *place, bool runtime)
{
	const char *base = getenv(runtime ? "XDG_RUNTIME_DIR" : "XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (!place->user)
		return memory_strdup(runtime ? "/run/systemd/system" : "/etc/systemd/system");
	if (base && *base == '/')
		return memory_print("%s/systemd/user", base);
	return runtime || !home || *home != '/' ? NULL
						: memory_print("%s/.config/systemd/user", home);
}

char *unit_drop_in(const struct unit_place *place, const char *name)
{
	char *directory = unit_own_place(place, place->runtime), *path;

	if (!directory) {
		complain("service: neither %s is set",
			 place->runtime ? "XDG_RUNTIME_DIR" : "XDG_CONFIG_HOME nor HOME");
		return NULL;
	}
	path = memory_print("%s/%s.d/" OWN, directory, name);
	free(directory);
	return path;
}

char **unit_own_places(const struct unit_place *place)
{
	char **places = memory_alloc(3 * sizeof(*places));
	size_t nr = 0;
	int runtime;

	for (runtime = 0; runtime < 2; runtime++) {
		places[nr] = unit_own_place(place, runtime);
		nr += places[nr] != NULL;
	}
	return places;
}

/* --- reading a file --------------------------------------------------------------------------- */

static char *unit_trim(char *text)
{
	size_t length;

	text += strspn(text, " \t\r");
	length = strlen(text);
	while (length && strchr(" \t\r", text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

static void unit_add(struct unit *unit, const char *key, const char *value)
{
	unit->settings =
		memory_room(unit->settings, unit->nr, &unit->room, sizeof(*unit->settings));
	unit->settings[unit->nr].key = memory_strdup(key);
	unit->settings[unit->nr++].value = memory_strdup(value);
}

/* A line that was put together; *SERVICE is whether we are in that section. */
static void unit_line(struct unit *unit, char *line, bool *service)
{
	char *equals;

	line = unit_trim(line);
	if (*line == '[') {
		*service = !strcmp(line, "[Service]");
		return;
	}
	equals = strchr(line, '=');
	if (!*service || !equals)
		return;
	*equals = '\0';
	unit_add(unit, unit_trim(line), unit_trim(equals + 1));
}

/* Lines that end with a backslash go on in the next one that is no comment. */
static void unit_lines(struct unit *unit, FILE *file)
{
	char *line = NULL, *whole = memory_strdup(""), *more;
	bool service = false, goes_on = false;
	size_t room = 0;
	ssize_t length;

	while ((length = getline(&line, &room, file)) >= 0) {
		if (length && line[length - 1] == '\n')
			line[--length] = '\0';
		if (line[strspn(line, " \t")] == '#' || line[strspn(line, " \t")] == ';')
			continue;
		goes_on = length && line[length - 1] == '\\';
		if (goes_on)
			line[length - 1] = ' ';
		more = memory_print("%s%s", whole, line);
		free(whole);
		whole = more;
		if (goes_on && strlen(whole) < FILE_BYTES)
			continue;
		unit_line(unit, whole, &service);
		*whole = '\0';
	}
	unit_line(unit, whole, &service);
	free(whole);
	free(line);
}

static void unit_take(struct unit *unit, int fd)
{
	FILE *file = fdopen(fd, "re");

	if (!file) {
		(void)close(fd);
		return;
	}
	unit_lines(unit, file);
	(void)fclose(file);
}

/* --- finding the file ------------------------------------------------------------------------- */

enum unit_found { UNIT_NOWHERE, UNIT_HERE, UNIT_MASKED, UNIT_ALIAS };

/* What PATH is: a file, or a link to one of another name, which *RET_OTHER is. */
static enum unit_found unit_look(const struct unit_place *place, const char *path, const char *name,
				 char **ret_other)
{
	int fd = root_open(place->root, path, O_PATH | O_NOFOLLOW);
	char target[PATH_MAX];
	const char *last;
	ssize_t length;

	if (fd < 0)
		return UNIT_NOWHERE;
	length = readlinkat(fd, "", target, sizeof(target) - 1);
	(void)close(fd);
	if (length < 0)
		return UNIT_HERE;
	target[length] = '\0';
	if (!strcmp(target, "/dev/null"))
		return UNIT_MASKED;
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	if (!strcmp(last, name) || strchr(name, '@') || strlen(last) <= strlen(SUFFIX) ||
	    strcmp(last + strlen(last) - strlen(SUFFIX), SUFFIX))
		return UNIT_HERE;
	*ret_other = memory_strdup(last);
	return UNIT_ALIAS;
}

/* The file of that name in the first directory that has one; *RET_PATH or *RET_OTHER is set. */
static enum unit_found unit_find(const struct unit_place *place, const struct unit_list *list,
				 const char *name, char **ret_path, char **ret_other)
{
	size_t i;

	for (i = 0; i < list->nr; i++) {
		char *path = memory_print("%s/%s", list->names[i], name);
		enum unit_found found = unit_look(place, path, name, ret_other);

		if (found == UNIT_HERE)
			*ret_path = path;
		else
			free(path);
		if (found != UNIT_NOWHERE)
			return found;
	}
	return UNIT_NOWHERE;
}

/* Itself, another one that it is an alias of, or its template. */
static enum unit_found unit_find_any(const struct unit_place *place, const struct unit_list *list,
				     struct unit *unit)
{
	enum unit_found found = UNIT_ALIAS;
	char *other = NULL, *template;
	unsigned int depth;

	for (depth = 0; depth < ALIASES && found == UNIT_ALIAS; depth++) {
		found = unit_find(place, list, unit->name, &unit->path, &other);
		if (found == UNIT_ALIAS) {
			free(unit->name);
			unit->name = other;
		}
	}
	template = found == UNIT_NOWHERE ? unit_template(unit->name) : NULL;
	if (template)
		found = unit_find(place, list, template, &unit->path, &other);
	free(template);
	return found;
}

/* --- what is dropped in ----------------------------------------------------------------------- */

/* "a-b.service" has "a-.service" before it, and "service" before all. */
static void unit_drop_in_names(const struct unit *unit, struct unit_list *ret_list)
{
	char *template = unit_template(unit->name);
	const char *at;

	*ret_list = (struct unit_list){0};
	unit_list_add(ret_list, memory_strdup(unit->name));
	if (template)
		unit_list_add(ret_list, template);
	for (at = unit->name + strlen(unit->name) - strlen(SUFFIX); at > unit->name; at--)
		if (at[-1] == '-' && at[0] != '.')
			unit_list_add(ret_list, memory_print("%.*s" SUFFIX, (int)(at - unit->name),
							     unit->name));
	unit_list_add(ret_list, memory_strdup("service"));
}

static const char *unit_last_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

static int unit_compare(const void *a, const void *b)
{
	return strcmp(unit_last_of(*(char *const *)a), unit_last_of(*(char *const *)b));
}

/* Of two of one name the first counts. Ours is what the unit would be without. */
static void unit_drop_in_take(struct unit_list *files, const char *directory, const char *name)
{
	size_t i, length = strlen(name);

	if (length <= 5 || strcmp(name + length - 5, ".conf") || *name == '.' || !strcmp(name, OWN))
		return;
	for (i = 0; i < files->nr; i++)
		if (!strcmp(unit_last_of(files->names[i]), name))
			return;
	unit_list_add(files, memory_print("%s/%s", directory, name));
}

static void unit_drop_ins_in(const struct unit_place *place, struct unit_list *files,
			     const char *directory)
{
	int fd = root_open(place->root, directory, O_RDONLY | O_DIRECTORY);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	while ((entry = readdir(stream)))
		unit_drop_in_take(files, directory, entry->d_name);
	(void)closedir(stream);
}

static void unit_drop_ins(const struct unit_place *place, const struct unit_list *list,
			  struct unit *unit)
{
	struct unit_list names, files = {0};
	size_t i, k;

	unit_drop_in_names(unit, &names);
	for (k = 0; k < names.nr; k++)
		for (i = 0; i < list->nr; i++) {
			char *directory = memory_print("%s/%s.d", list->names[i], names.names[k]);

			unit_drop_ins_in(place, &files, directory);
			free(directory);
		}
	if (files.nr)
		qsort(files.names, files.nr, sizeof(*files.names), unit_compare);
	for (i = 0; i < files.nr; i++) {
		int fd = root_open(place->root, files.names[i], O_RDONLY);

		if (fd >= 0)
			unit_take(unit, fd);
	}
	unit_list_free(&files);
	unit_list_free(&names);
}

/* ---------------------------------------------------------------------------------------------- */

static bool unit_read_all(const struct unit_place *place, struct unit *unit)
{
	enum unit_found found;
	struct unit_list list;
	int fd = -1;

	unit_directories_of(place, &list);
	found = unit_find_any(place, &list, unit);
	if (found == UNIT_HERE)
		fd = root_open(place->root, unit->path, O_RDONLY);
	if (found == UNIT_MASKED)
		complain("service: %s is masked", unit->name);
	else if (found != UNIT_HERE)
		complain("service: there is no %s%s%s", unit->name, place->root ? " in " : "",
			 place->root ? place->root : "");
	else if (fd < 0)
		complain("service: %s: %s", unit->path, strerror(errno));
	else
		unit_take(unit, fd);
	if (fd >= 0)
		unit_drop_ins(place, &list, unit);
	unit_list_free(&list);
	return fd >= 0;
}

struct unit *unit_read(const struct unit_place *place, const char *name)
{
	char *full = unit_full_name(name);
	struct unit *unit;

	if (!full)
		return NULL;
	unit = memory_alloc(sizeof(*unit));
	unit->name = full;
	if (unit_read_all(place, unit))
		return unit;
	unit_close(unit);
	return NULL;
}

void unit_close(struct unit *unit)
{
	size_t i;

	for (i = 0; i < unit->nr; i++) {
		free(unit->settings[i].key);
		free(unit->settings[i].value);
	}
	free(unit->settings);
	free(unit->path);
	free(unit->name);
	free(unit);
}

/* --- what it says ----------------------------------------------------------------------------- */

const char *unit_value(const struct unit *unit, const char *key)
{
	const char *value = NULL;
	size_t i;

	for (i = 0; i < unit->nr; i++)
		if (!strcmp(unit->settings[i].key, key))
			value = *unit->settings[i].value ? unit->settings[i].value : NULL;
	return value;
}

bool unit_is_set(const struct unit *unit, const char *key)
{
	static const char *const yes[] = {"yes", "y", "true", "t", "on", "1"};
	const char *value = unit_value(unit, key);
	size_t i;

	for (i = 0; value && i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!strcasecmp(value, yes[i]))
			return true;
	return false;
}

const char *unit_next(const struct unit *unit, const char *key, size_t *position)
{
	size_t i, from = 0;

	for (i = 0; i < unit->nr; i++)
		if (!strcmp(unit->settings[i].key, key) && !*unit->settings[i].value)
			from = i + 1;
	for (i = *position > from ? *position : from; i < unit->nr; i++)
		if (!strcmp(unit->settings[i].key, key)) {
			*position = i + 1;
			return unit->settings[i].value;
		}
	return NULL;
}
