/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * service.c - `stackdepot service`: have systemd start a service recorded.
 *
 * All of it is one file that systemd reads. Nothing of ours runs beside the service, and its
 * processes find the store of the time before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "base/pause.h"
#include "base/status.h"
#include "launch.h"
#include "options.h"
#include "profile/alive.h"
#include "service/drop_in.h"
#include "service/judge.h"
#include "text/number.h"

#define MEMORY "64M"
#define MODE "overhead=1"
#define STORE_MIN (1u << 20)
#define STORE_MAX (1ull << 40)
#define STATE_SYSTEM "/var/lib"
#define SETTLE_TRIES 50 /* of a tenth of a second, until what was restarted is in its store */

struct service {
	struct unit_place place;
	char *memory;
	char *mode;
	bool all;
	bool force;
	bool restart;
};

enum {
	SERVICE_MEMORY = 256,
	SERVICE_OVERHEAD,
	SERVICE_MODE,
	SERVICE_USER,
	SERVICE_RUNTIME,
	SERVICE_ROOT,
	SERVICE_RESTART,
	SERVICE_FORCE,
	SERVICE_ALL
};

static const struct command_option service_options[] = {
	{"memory", "BYTES", SERVICE_MEMORY, "size of the store, fixed (" MEMORY ")", false},
	{"overhead", "PERCENT", SERVICE_OVERHEAD, "of the CPU time, at most (1)", false},
	{"mode", "full|sample=BYTES|off", SERVICE_MODE, "instead: as `run` has it", false},
	{"user", NULL, SERVICE_USER, "services of the user, not of the system", false},
	{"runtime", NULL, SERVICE_RUNTIME, "until the system starts again", false},
	{"root", "DIR", SERVICE_ROOT, "in an image; no systemd is told", false},
	{"restart", NULL, SERVICE_RESTART, "restart it, and see whether it is recorded", false},
	{"force", NULL, SERVICE_FORCE, "enable in spite of what forbids it", false},
	{"all", NULL, SERVICE_ALL, "disable: whatever was enabled", false},
	OPTIONS_END,
};

static void service_set(char **text, char *value)
{
	free(*text);
	*text = value;
}

static bool service_memory(struct service *service, const char *value)
{
	uint64_t bytes;

	service_set(&service->memory, memory_strdup(value));
	return number_bytes(value, &bytes) && bytes >= STORE_MIN && bytes <= STORE_MAX;
}

static bool service_mode(struct service *service, const char *prefix, const char *value)
{
	enum stackdepot_mode mode;
	uint64_t number;

	service_set(&service->mode, memory_print("%s%s", prefix, value));
	return options_mode(*prefix == 'm' ? value : service->mode, &mode, &number) &&
	       (*prefix != 'm' || mode != STACKDEPOT_MODE_OVERHEAD);
}

static bool service_option(struct service *service, int option, const char *value)
{
	switch (option) {
	case SERVICE_MEMORY:
		return service_memory(service, value);
	case SERVICE_OVERHEAD:
		return service_mode(service, "overhead=", value);
	case SERVICE_MODE:
		return service_mode(service, "mode=", value);
	case SERVICE_ROOT:
		service->place.root = value;
		return *value;
	case SERVICE_USER:
		return service->place.user = true;
	case SERVICE_RUNTIME:
		return service->place.runtime = true;
	case SERVICE_RESTART:
		return service->restart = true;
	case SERVICE_FORCE:
		return service->force = true;
	case SERVICE_ALL:
		return service->all = true;
	}
	return false;
}

static enum option_status service_take(void *context, int option, const char *value)
{
	return service_option(context, option, value) ? OPTION_GOOD : OPTION_BAD_VALUE;
}

/* --- systemd ---------------------------------------------------------------------------------- */

/* Is it there to be told? Its directory may be there without it, and be ours. */
static bool service_is_booted(const struct service *service)
{
	const char *runtime = service->place.user ? getenv("XDG_RUNTIME_DIR") : "/run";
	char *path = runtime ? memory_print("%s/systemd/private", runtime) : NULL;
	struct stat st;
	bool is = path && !service->place.root && !lstat(path, &st) && S_ISSOCK(st.st_mode);

	free(path);
	return is;
}

static bool service_systemctl(const struct service *service, const char *verb, const char *unit)
{
	char *const argv[] = {"systemctl", service->place.user ? "--user" : "--system",
			      (char *)(uintptr_t)verb, (char *)(uintptr_t)unit, NULL};
	int error, status = 0;
	pid_t pid;

	if (!service_is_booted(service))
		return true;
	error = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	while (!error && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			error = errno;
	if (error)
		complain("service: systemctl: %s", strerror(error));
	else if (status)
		complain("service: systemctl %s%s%s has failed", verb, unit ? " " : "",
			 unit ? unit : "");
	return !error && !status;
}

/* The number of the service's main process; 0: it does not run, or systemd is not there. */
static uint32_t service_main_process(const struct service *service, const char *unit)
{
	/* A name has no quotes. */
	char *command = memory_print("systemctl %s show -p MainPID --value -- '%s' 2>/dev/null",
				     service->place.user ? "--user" : "--system", unit);
	FILE *file = service_is_booted(service) ? popen(command, "re") : NULL;
	unsigned int process = 0;

	free(command);
	if (file && fscanf(file, "%u", &process) != 1)
		process = 0;
	if (file)
		(void)pclose(file);
	return process;
}

/* --- stores ----------------------------------------------------------------------------------- */

/* What %S is; systemd before 254 has another one for users. To be freed; NULL: not known. */
static char *service_state(const struct service *service, const char *below)
{
	static const char *const places[][2] = {{"XDG_STATE_HOME", "/.local/state"},
						{"XDG_CONFIG_HOME", "/.config"}};
	const char *home = getenv("HOME"), *root = service->place.root ? service->place.root : "";
	size_t i;

	if (!service->place.user)
		return memory_print("%s" STATE_SYSTEM "/%s", root, below);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *base = getenv(places[i][0]);
		char *path = memory_print("%s%s/%s",
					  base	 ? base
					  : home ? home
						 : "",
					  base ? "" : places[i][1], below);

		if (!access(path, F_OK))
			return path;
		free(path);
	}
	return NULL;
}

/* A pattern for the stores of an enabled unit: one, or those of a template's instances. */
static char *service_pattern(const struct service *service, const char *text)
{
	char *store = drop_in_option(text, "store"), *pattern, *at;

	if (!store || strncmp(store, "%S/", 3) != 0) {
		free(store);
		return NULL;
	}
	pattern = service_state(service, store + 3);
	free(store);
	for (at = pattern; at && (at = strstr(at, "%i"));)
		memmove(at + 1, at + 2, strlen(at + 2) + 1), *at = '*';
	return pattern;
}

/* --- status ----------------------------------------------------------------------------------- */

/* Is that process in the store, and there? How many are? */
static bool service_count(struct stackdepot_store *store, uint32_t process, uint64_t *ret_processes,
			  uint64_t *ret_running)
{
	struct stackdepot_store_info info;
	uint64_t position = 0;
	bool found = false;

	*ret_processes = *ret_running = 0;
	while (stackdepot_store_next_process(store, &position, &info)) {
		const bool runs = alive_is_running(&info);

		*ret_processes += info.processes;
		*ret_running += runs;
		found |= runs && info.pid == process;
	}
	return found;
}

static bool service_say_store(const char *path, uint32_t process)
{
	char number[TEXT_BYTES], bytes[TEXT_BYTES];
	struct stackdepot_store *store;
	uint64_t processes, running;
	struct stat st;
	bool found;
	int error = stackdepot_store_open(path, &store);

	if (error) {
		printf("  %s: %s\n", path,
		       error == -EPROTONOSUPPORT ? "of another version; a start sets it aside"
						 : strerror(-error));
		return false;
	}
	found = service_count(store, process, &processes, &running);
	printf("  %s: %s, %s %s, %" PRIu64 " running\n", path,
	       text_bytes(stat(path, &st) ? 0 : (double)st.st_size, bytes),
	       text_count((double)processes, number), processes == 1 ? "process" : "processes",
	       running);
	stackdepot_store_close(store);
	return found;
}

static bool service_say_stores(const struct service *service, const char *text, uint32_t process)
{
	char *pattern = service_pattern(service, text);
	glob_t found = {0};
	bool recorded = false;
	size_t i;

	if (pattern && !glob(pattern, GLOB_NOESCAPE, NULL, &found))
		for (i = 0; i < found.gl_pathc; i++)
			recorded |= service_say_store(found.gl_pathv[i], process);
	else
		printf("  no store yet\n");
	globfree(&found);
	free(pattern);
	return recorded;
}

/* The number by which a process knows itself, as its store has it. */
static uint32_t service_own_number(uint32_t process)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", process);
	return process ? alive_own_number(name) : 0;
}

static char *service_text(const struct service *service, const struct unit *unit);

/* Has the unit changed since, so that the drop-in would be another one? */
static void service_say_changed(const struct service *service, const char *name, const char *text)
{
	struct service same = *service;
	struct unit *unit = unit_read(&service->place, name);
	char *overhead = drop_in_option(text, "overhead"), *mode = drop_in_option(text, "mode");
	char *now;

	same.memory = drop_in_option(text, "memory");
	same.mode = overhead ? memory_print("overhead=%s", overhead)
			     : memory_print("mode=%s", mode ? mode : "full");
	now = unit && same.memory ? service_text(&same, unit) : NULL;
	if (now && strcmp(now, text) != 0)
		printf("  the unit, or where the library is, has changed since: enable it again\n");
	free(now);
	free(same.mode);
	free(same.memory);
	free(mode);
	free(overhead);
	if (unit)
		unit_close(unit);
}

/* The drop-in of a unit that is enabled, for good or not; *RET_PATH says where. */
static char *service_drop_in(const struct service *service, const char *name, char **ret_path)
{
	struct unit_place place = service->place;
	char *text, *path = NULL;
	int runtime;

	for (runtime = place.runtime; runtime < 2; runtime++) {
		place.runtime = runtime;
		free(path);
		path = unit_drop_in(&place, name);
		text = path ? drop_in_read(&place, path) : NULL;
		if (text) {
			*ret_path = path;
			return text;
		}
	}
	free(path);
	return NULL;
}

/* The name by which it is enabled, or would be: not an alias. To be freed; NULL: it is no name. */
static char *service_name(const struct service *service, const char *name)
{
	char *full = unit_full_name(name), *path;
	char *text = full ? service_drop_in(service, full, &path) : NULL;
	struct unit *unit;

	if (text) {
		free(path);
		free(text);
		return full;
	}
	unit = full ? unit_read(&service->place, full) : NULL;
	if (unit) {
		service_set(&full, memory_strdup(unit->name));
		unit_close(unit);
	}
	return full;
}

/* 0, or 1 if it is not enabled. */
static int service_say(const struct service *service, const char *name)
{
	uint32_t process = service_main_process(service, name);
	char *path, *text = service_drop_in(service, name, &path);
	bool recorded;

	if (!text) {
		printf("%s: not enabled\n", name);
		return STATUS_FINDINGS;
	}
	printf("%s: enabled by %s\n", name, path);
	recorded = service_say_stores(service, text, service_own_number(process));
	if (process)
		printf("  process %u runs, %s\n", process,
		       recorded ? "recorded"
				: "not recorded: since before, or the journal says why");
	service_say_changed(service, name, text);
	free(text);
	free(path);
	return STATUS_CLEAN;
}

/* --- enable ----------------------------------------------------------------------------------- */

/* Also what `status` compares with. */
static char *service_text(const struct service *service, const struct unit *unit)
{
	char *name = drop_in_store_name(unit->name), *library, *text, *options;
	char *preload = launch_service_preload(service->place.root, &library);

	if (!preload) {
		free(name);
		return NULL;
	}
	options = memory_print("store=%%S/stackdepot/%s/%s.stackdepot:memory=%s:%s:same-owner=yes:"
			       "stderr=journal",
			       name, name, service->memory, service->mode);
	text = drop_in_text(&service->place, unit, preload, options);
	free(options);
	free(preload);
	free(library);
	free(name);
	return text;
}

static bool service_judge(const struct service *service, const struct unit *unit)
{
	struct judge judge = {.place = &service->place, .unit = unit};
	char *library, *preload = launch_service_preload(service->place.root, &library);
	bool good;

	if (!preload)
		return false;
	judge.library = library;
	judge.preload = preload;
	(void)number_bytes(service->memory, &judge.memory_bytes);
	good = judge_unit(&judge) || service->force;
	if (!good)
		complain("service: %s is left as it is", unit->name);
	free(preload);
	free(library);
	return good;
}

/* A store that is there keeps its size. */
static void service_say_old_store(const struct service *service, const char *text)
{
	char *pattern = service_pattern(service, text);
	struct stat st;
	uint64_t bytes;

	if (pattern && number_bytes(service->memory, &bytes) && !stat(pattern, &st) &&
	    (uint64_t)st.st_size != bytes)
		complain("service: %s is there, and keeps its size; --memory counts when it is "
			 "removed",
			 pattern);
	free(pattern);
}

static bool service_write(const struct service *service, const struct unit *unit)
{
	char *text = service_text(service, unit), *path = unit_drop_in(&service->place, unit->name);
	bool good = text && path && drop_in_write(&service->place, path, text);

	if (good) {
		service_say_old_store(service, text);
		printf("%s%s\n", service->place.root ? service->place.root : "", path);
	}
	free(path);
	free(text);
	return good;
}

static bool service_enable_one(const struct service *service, const char *name, char **ret_name)
{
	struct unit *unit = unit_read(&service->place, name);
	bool good;

	if (!unit)
		return false;
	good = service_judge(service, unit) && service_write(service, unit);
	if (good)
		*ret_name = memory_strdup(unit->name);
	unit_close(unit);
	return good;
}

/* Until its main process is in the store, or for some seconds. */
static void service_settle(const struct service *service, const char *name)
{
	unsigned int tries;
	bool recorded = false;

	for (tries = 0; tries < SETTLE_TRIES && !recorded; tries++) {
		uint32_t process = service_own_number(service_main_process(service, name));
		char *path, *text = service_drop_in(service, name, &path);
		char *pattern = text ? service_pattern(service, text) : NULL;
		struct stackdepot_store *store;
		uint64_t processes, running;

		if (process && pattern && !stackdepot_store_open(pattern, &store)) {
			recorded = service_count(store, process, &processes, &running);
			stackdepot_store_close(store);
		}
		free(pattern);
		if (text)
			free(path);
		free(text);
		if (!recorded)
			pause_for(0.1);
	}
}

static bool service_restart(const struct service *service, const char *name)
{
	if (!service_is_booted(service))
		return true;
	if (!service->restart) {
		printf("from its next start on: systemctl %srestart %s\n",
		       service->place.user ? "--user " : "", name);
		return true;
	}
	if (!service_systemctl(service, "restart", name))
		return false;
	service_settle(service, name);
	return service_say(service, name) == STATUS_CLEAN;
}

static int service_enable(const struct service *service, int nr, char **units)
{
	char **names = memory_alloc(((size_t)nr + 1) * sizeof(*names));
	bool good = true;
	int i;

	for (i = 0; i < nr; i++)
		good &= service_enable_one(service, units[i], &names[i]);
	good &= service_systemctl(service, "daemon-reload", NULL);
	for (i = 0; i < nr; i++) {
		if (names[i])
			good &= service_restart(service, names[i]);
		free(names[i]);
	}
	free(names);
	return good ? STATUS_CLEAN : STATUS_FAILED;
}

/* --- disable, and all of them ----------------------------------------------------------------- */

struct service_names {
	char **names; /* ended by NULL */
	size_t nr;
	size_t room;
};

/* One that is enabled for good and until the next start is there once. */
static void service_names_add(struct service_names *list, char *name)
{
	size_t i;

	for (i = 0; i < list->nr && strcmp(list->names[i], name) != 0; i++)
		;
	if (i < list->nr) {
		free(name);
		return;
	}
	list->names = memory_room(list->names, list->nr + 1, &list->room, sizeof(*list->names));
	list->names[list->nr++] = name;
	list->names[list->nr] = NULL;
}

static void service_names_in(struct service_names *list, const char *root, const char *place)
{
	static const char end[] = ".d/stackdepot.conf";
	char *directory = memory_print("%s%s/", root ? root : "", place);
	char *pattern = memory_print("%s*%s", directory, end);
	glob_t found = {0};
	size_t i;

	if (!glob(pattern, GLOB_NOESCAPE, NULL, &found))
		for (i = 0; i < found.gl_pathc; i++) {
			const char *name = found.gl_pathv[i] + strlen(directory);

			service_names_add(
				list,
				memory_print("%.*s", (int)(strlen(name) - strlen(end)), name));
		}
	globfree(&found);
	free(pattern);
	free(directory);
}

/* Names of units that are enabled, ended by NULL; to be freed, and each. */
static char **service_list(const struct service *service)
{
	struct service_names list = {.names = memory_alloc(sizeof(char *))};
	char **places = unit_own_places(&service->place);
	size_t i;

	for (i = 0; places[i]; i++) {
		service_names_in(&list, service->place.root, places[i]);
		free(places[i]);
	}
	free(places);
	return list.names;
}

static bool service_disable_one(const struct service *service, const char *name)
{
	char *full = service_name(service, name), *path = NULL, *text, *pattern;
	struct unit_place place = service->place;
	unsigned int removed = 0;
	bool good = full;

	while (good && (text = service_drop_in(service, full, &path))) {
		place.runtime = strstr(path, "/run/") == path || place.runtime;
		pattern = service_pattern(service, text);
		good = drop_in_remove(&place, path) > 0;
		if (good && pattern && !access(pattern, F_OK))
			printf("%s stays\n", pattern);
		removed += good;
		free(pattern);
		free(text);
		free(path);
	}
	if (good && !removed)
		complain("service: %s is not enabled", full);
	free(full);
	return good && removed;
}

static int service_disable(const struct service *service, char **units)
{
	bool good = true;

	if (!*units)
		return STATUS_CLEAN;
	for (; *units; units++)
		good &= service_disable_one(service, *units);
	good &= service_systemctl(service, "daemon-reload", NULL);
	return good ? STATUS_CLEAN : STATUS_FAILED;
}

static int service_status(const struct service *service, char **units)
{
	int status = STATUS_CLEAN;

	for (; *units; units++) {
		char *full = service_name(service, *units);

		if (!full)
			return STATUS_FAILED;
		if (service_say(service, full))
			status = STATUS_FINDINGS;
		free(full);
	}
	return status;
}

/* ---------------------------------------------------------------------------------------------- */

static int service_each_listed(const struct service *service,
			       int (*what)(const struct service *service, char **units))
{
	char **names = service_list(service);
	int status = what(service, names);
	size_t i;

	for (i = 0; names[i]; i++)
		free(names[i]);
	free(names);
	return status;
}

static int service_act(const struct service *service, const char *verb, int nr, char **units)
{
	const bool disables = !strcmp(verb, "disable"), tells = !strcmp(verb, "status");

	if (!disables && !tells && strcmp(verb, "enable") != 0)
		return options_complain(&command_service, "'%s' is none of enable, disable, status",
					verb);
	if (service->all && (!disables || nr))
		return options_complain(&command_service,
					"--all goes with disable, without a UNIT");
	if (!nr && !tells && !service->all)
		return options_complain(&command_service, "which? UNIT is missing");
	if (!nr)
		return service_each_listed(service, tells ? service_status : service_disable);
	if (tells)
		return service_status(service, units);
	return disables ? service_disable(service, units) : service_enable(service, nr, units);
}

static int service_run(int argc, char **argv)
{
	struct service service = {.memory = memory_strdup(MEMORY), .mode = memory_strdup(MODE)};
	const struct options parse = {
		.command = &command_service, .take = service_take, .context = &service};
	int status = options_parse(&parse, argc, argv);

	if (!status && service.place.root && service.place.user)
		status = options_complain(&command_service,
					  "--root is of the system, --user is not");
	else if (!status && optind >= argc)
		status = options_complain(&command_service, "enable, disable or status?");
	else if (!status)
		status = service_act(&service, argv[optind], argc - optind - 1, argv + optind + 1);
	free(service.memory);
	free(service.mode);
	return status;
}

const struct command command_service = {
	.name = "service",
	.usage = {"service enable [OPTION]... UNIT...\thave systemd start it recorded",
		  "service disable [OPTION]... UNIT...", "service status [OPTION]... [UNIT]..."},
	.options = service_options,
	.run = service_run,
};
