/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* run.c - `stackdepot run`: record a program, and say where the record is. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "base/status.h"
#include "launch.h"
#include "options.h"
#include "profile/alive.h"
#include "profile/profile.h"
#include "profile/stores.h"
#include "suppress/suppress.h"
#include "symbols/code_names.h"
#include "text/number.h"
#include "text/text.h"

#define OPTIONS_BYTES (2 * PATH_MAX)
#define RUN_STORE_BYTES (64u << 20)

struct run {
	char store[PATH_MAX];
	char options[OPTIONS_BYTES];
	uint64_t store_bytes; /* 0: left to STACKDEPOT_OPTIONS */
	int error_exitcode;   /* -1: the program's own */
	bool quiet;
	struct suppress *suppress;
};

enum {
	RUN_MEMORY = 256,
	RUN_STORE,
	RUN_MODE,
	RUN_ON_ERROR,
	RUN_EXITCODE,
	RUN_FOLLOW,
	RUN_CHILDREN,
	RUN_QUIET
};

static const struct command_option run_options[] = {
	{"memory", "BYTES", RUN_MEMORY, "size of the store, fixed (64M)", false},
	{"store", "FILE", RUN_STORE, "the store (PROGRAM.PID.stackdepot)", false},
	{"mode", "full|sample=BYTES", RUN_MODE, "all objects, or one in so many bytes", false},
	{"on-error", "report|abort", RUN_ON_ERROR, "go on, or end the program", false},
	{"error-exitcode", "N", RUN_EXITCODE, "exit status if errors were found", false},
	{"follow-children", "yes|no", RUN_FOLLOW, "record what it starts, too (yes)", false},
	{"children", "N", RUN_CHILDREN, "stores besides the first, of children and exec() (64)",
	 false},
	{"quiet", NULL, RUN_QUIET, "no summary at the end", false},
	OPTIONS_SUPPRESSIONS,
	OPTIONS_END,
};

static bool run_add(struct run *run, const char *name, const char *value)
{
	size_t used = strlen(run->options);
	int length = snprintf(run->options + used, sizeof(run->options) - used, "%s%s=%s",
			      used ? ":" : "", name, value);

	return length > 0 && used + (size_t)length < sizeof(run->options);
}

static bool run_is_one_of(const char *value, const char *a, const char *b)
{
	return !strcmp(value, a) || !strcmp(value, b);
}

static bool run_mode(const char *value)
{
	uint64_t bytes;

	return !strcmp(value, "full") ||
	       (!strncmp(value, "sample=", 7) && options_bytes(value + 7, &bytes) && bytes);
}

static bool run_exitcode(struct run *run, const char *value)
{
	char *end;
	long code = strtol(value, &end, 10);

	run->error_exitcode = (int)code;
	return end != value && !*end && code >= 0 && code <= 255;
}

static bool run_memory(struct run *run, const char *value)
{
	return options_bytes(value, &run->store_bytes) && run->store_bytes >= 1u << 20 &&
	       run->store_bytes <= 1ull << 40 && run_add(run, "memory", value);
}

static bool run_option(struct run *run, int option, const char *value)
{
	uint64_t bytes;

	switch (option) {
	case RUN_MEMORY:
		return run_memory(run, value);
	case RUN_STORE:
		return *value && strlen(value) < sizeof(run->store) && strcpy(run->store, value);
	case RUN_MODE:
		return run_mode(value) && run_add(run, "mode", value);
	case RUN_ON_ERROR:
		return run_is_one_of(value, "report", "abort") && run_add(run, "on-error", value);
	case RUN_FOLLOW:
		return run_is_one_of(value, "yes", "no") && run_add(run, "follow-children", value);
	case RUN_CHILDREN:
		return options_bytes(value, &bytes) && bytes <= 4096 &&
		       run_add(run, "children", value);
	case RUN_EXITCODE:
		return run_exitcode(run, value);
	case RUN_QUIET:
		return run->quiet = true;
	}
	return false;
}

static enum option_status run_take(void *context, int option, const char *value)
{
	return run_option(context, option, value) ? OPTION_GOOD : OPTION_BAD_VALUE;
}

/* 0, or an exit status after a complaint; optind is then at the program. */
static int run_parse(struct run *run, int argc, char **argv)
{
	const struct options parse = {
		.command = &command_run,
		.program = true,
		.take = run_take,
		.context = run,
		.suppress = run->suppress,
	};
	int status = options_parse(&parse, argc, argv);

	if (!status && optind >= argc)
		return options_complain(&command_run, "what? PROGRAM is missing");
	return status;
}

/* The store's absolute name, as the program may change directory. An old store gives way. */
static bool run_store(struct run *run, const char *program)
{
	const char *slash = strrchr(program, '/');
	struct stackdepot_store *old;
	char given[PATH_MAX];
	int error;

	if (!run->store[0])
		snprintf(run->store, sizeof(run->store), "%.200s.%d.stackdepot",
			 slash ? slash + 1 : program, (int)getpid());
	if (run->store[0] != '/') {
		strcpy(given, run->store);
		if (!getcwd(run->store, sizeof(run->store)) ||
		    strlen(run->store) + strlen(given) + 2 > sizeof(run->store)) {
			complain("the current directory: %s", strerror(errno));
			return false;
		}
		strcat(strcat(run->store, "/"), given);
	}
	if (strchr(run->store, ':')) {
		complain("%s: the name of a store has no colon", run->store);
		return false;
	}
	error = stackdepot_store_open(run->store, &old);
	if (error == -ENOENT)
		return true;
	if (error) {
		complain("%s: exists, and is not a store; it is left alone", run->store);
		return false;
	}
	stackdepot_store_close(old);
	return true;
}

static void run_remove_old(const char *file)
{
	struct stores stores;
	size_t i;

	stores_find(file, &stores);
	for (i = 0; i < stores.nr; i++) {
		struct stackdepot_store *store;

		if (stackdepot_store_open(stores.path[i], &store))
			continue;
		stackdepot_store_close(store);
		(void)unlink(stores.path[i]);
		code_names_forget(stores.path[i]);
	}
	stores_free(&stores);
}

/* Is there room for so much? To find out by writing is a signal, where files are limited. */
static int run_room(int fd, uint64_t bytes)
{
	struct rlimit size;
	struct statvfs fs;

	if (!getrlimit(RLIMIT_FSIZE, &size) && size.rlim_cur < bytes)
		return EFBIG;
	if (!fallocate(fd, 0, 0, (off_t)bytes))
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return errno;
	/* The recorder will write all of it. */
	return !fstatvfs(fd, &fs) && fs.f_bavail * fs.f_frsize < bytes ? ENOSPC : 0;
}

/* Before the program has begun, it can be refused: can the store be made, is there room for it? */
static bool run_try(const struct run *run)
{
	int error = 0, fd = open(run->store, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0) {
		error = errno;
	} else {
		if (run->store_bytes)
			error = run_room(fd, run->store_bytes);
		(void)close(fd);
		(void)unlink(run->store);
	}
	if (error)
		complain("%s: %s; nothing was run", run->store, strerror(error));
	return !error;
}

/* Of code that the process made, before its files go. */
static void run_keep_names(const char *path)
{
	struct stackdepot_store *store;

	if (stackdepot_store_open(path, &store))
		return;
	code_names_keep(path, store);
	stackdepot_store_close(store);
}

/* A process that has ended costs what it used, not a whole store. */
static void run_trim(const struct launch *launch)
{
	struct stackdepot_store_info info;
	struct stackdepot_store *store;
	struct stores stores;
	size_t i;

	stores_find(launch->store, &stores);
	for (i = 0; i < stores.nr; i++) {
		if (stackdepot_store_open(stores.path[i], &store))
			continue;
		stackdepot_store_get_info(store, &info);
		if (!alive_is_there(&info))
			(void)stackdepot_store_trim(stores.path[i], alive_is_near(&info));
		stackdepot_store_close(store);
	}
	stores_free(&stores);
}

/*
 * Names of code go with a process, and in a container with its files; so they are looked at while
 * it runs, ever more seldom, as that takes as long as there are names.
 */
static void run_each_second(const struct launch *launch)
{
	static unsigned int seconds;
	struct stores stores;
	size_t i;

	run_trim(launch);
	seconds++;
	if (seconds & (seconds - 1))
		return;
	stores_find(launch->store, &stores);
	for (i = 0; i < stores.nr; i++)
		run_keep_names(stores.path[i]);
	stores_free(&stores);
}

/* --- afterwards ------------------------------------------------------------------------------- */

static void run_say(const struct profile *profile, uint64_t errors)
{
	const struct profile_process *process = &profile->processes[0];
	char number[TEXT_NUMBER], bytes[TEXT_BYTES], objects[TEXT_NUMBER];
	const struct stackdepot_store_info *info = &process->info;

	complain("%.60s (%u): %s, %s live in %s; stackdepot report %s",
		 info->command_bytes ? info->command : "?", info->pid,
		 text_number((double)errors, "error", number),
		 text_bytes(process->live.bytes, bytes),
		 text_number(process->live.objects, "object", objects), process->path);
}

/* What is found in the stores of a run, one after the other. */
struct run_sums {
	size_t stores;
	size_t said; /* processes that had a line of their own */
	uint64_t errors;
	uint64_t children_unrecorded;
};

#define RUN_SAY_STORES 8u /* lines that name a process each, at the end of a run of many */

/* Worth a line: the program itself, and processes with errors, as far as there is room. */
static bool run_is_worth_a_line(const struct run_sums *sums, uint64_t errors)
{
	if (sums->said == RUN_SAY_STORES)
		return false;
	return !sums->said || errors || sums->stores <= RUN_SAY_STORES;
}

static void run_add_store(const struct run *run, char *path, struct run_sums *sums)
{
	const struct targets one = {.names = &path, .nr = 1, .quiet = true};
	uint64_t covered = suppress_total(run->suppress, SUPPRESS_ERRORS).seen, errors;
	struct profile *profile = profile_open(&one, suppress_filter(run->suppress));

	if (!profile)
		return;
	covered = suppress_total(run->suppress, SUPPRESS_ERRORS).seen - covered;
	errors = profile->info.errors_seen;
	errors -= covered < errors ? covered : errors;
	if (!run->quiet && run_is_worth_a_line(sums, errors)) {
		run_say(profile, errors);
		sums->said++;
	}
	text_notes(stderr, "stackdepot: ", profile);
	if (!run->quiet)
		text_unrecorded(stderr, "stackdepot: ", profile);
	sums->errors += errors;
	sums->children_unrecorded += profile->info.children_unrecorded;
	profile_close(profile);
}

static void run_say_rest(const struct run *run, const struct run_sums *sums)
{
	const size_t more = sums->stores - sums->said;

	if (more)
		complain("%zu more %s, in %s.*", more, more == 1 ? "process" : "processes",
			 run->store);
	suppress_print(stderr, run->suppress, SUPPRESS_ALL);
	if (sums->children_unrecorded)
		complain("%llu more %s not recorded: --children",
			 (unsigned long long)sums->children_unrecorded,
			 sums->children_unrecorded == 1 ? "process was" : "processes were");
}

/* Errors seen in all stores of the run, but for those that are suppressed. */
static uint64_t run_finish(const struct run *run, const struct launch *launch)
{
	struct run_sums sums = {0};
	struct stores stores;
	size_t i;

	run_trim(launch);
	stores_find(run->store, &stores);
	sums.stores = stores.nr;
	for (i = 0; i < stores.nr; i++) {
		(void)stackdepot_store_finish(stores.path[i], (uint32_t)launch->pid,
					      (uint32_t)launch->wait_status);
		run_keep_names(stores.path[i]);
		run_add_store(run, stores.path[i], &sums);
	}
	if (!run->quiet)
		run_say_rest(run, &sums);
	if (!stores.nr)
		complain("nothing was recorded");
	stores_free(&stores);
	return sums.errors;
}

/* End as the program ended: by the same signal, if it was one. */
static int run_status(int wait_status)
{
	struct rlimit none = {0, 0};

	if (WIFEXITED(wait_status))
		return WEXITSTATUS(wait_status);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(WTERMSIG(wait_status), SIG_DFL);
	(void)raise(WTERMSIG(wait_status));
	return 128 + WTERMSIG(wait_status);
}

static const struct run *run_now;
static struct launch *run_launched; /* NULL: the program is not to be started yet */

/*
 * Without memory. A program that has begun goes on, and its end is ours; but if the errors of a run
 * were to be counted, nobody can say now that there were none.
 */
static void run_out_of_memory(void)
{
	if (!run_launched || run_launched->pid <= 0)
		exit(LAUNCH_FAILED);
	launch_wait_out(run_launched);
	exit(run_now->error_exitcode >= 0 ? LAUNCH_FAILED : run_status(run_launched->wait_status));
}

static int run_program(struct run *run, struct launch *launch)
{
	uint64_t errors;

	run_remove_old(run->store);
	if (!run_add(run, "store", run->store) || !run_add(run, "stderr", "no")) {
		complain("%s: the name is too long", run->store);
		return LAUNCH_FAILED;
	}
	run_launched = launch;
	launch->options = run->options;
	launch->store = run->store;
	launch->every_second = run_each_second;
	if (!run_try(run))
		return LAUNCH_FAILED;
	if (!launch_run(launch))
		return launch->failed_status;
	errors = run_finish(run, launch);
	if (errors && run->error_exitcode >= 0)
		return run->error_exitcode;
	return run_status(launch->wait_status);
}

/* ARGV is the program's. */
static int run_recorded(struct run *run, char **argv)
{
	struct launch launch = {0};
	char *preload, *program;
	int status;

	program = launch_find(argv[0], &status);
	if (!program)
		return status;
	preload = launch_preload();
	launch.argv = argv;
	launch.program = program;
	launch.preload = preload;
	status = preload && run_store(run, program) ? run_program(run, &launch) : LAUNCH_FAILED;
	free(preload);
	free(program);
	return status;
}

static int run_main(int argc, char **argv)
{
	static struct run run;
	int status;

	run.error_exitcode = -1;
	run.store_bytes = getenv("STACKDEPOT_OPTIONS") ? 0 : RUN_STORE_BYTES;
	run_now = &run;
	memory_end_by(NULL, run_out_of_memory);
	run.suppress = suppress_open();
	status = run_parse(&run, argc, argv);
	if (!status)
		status = run_recorded(&run, argv + optind);
	suppress_close(run.suppress);
	return status;
}

const struct command command_run = {
	.name = "run",
	.usage = {"run [OPTION]... -- PROGRAM [ARG]...\trecord what a program allocates"},
	.options = run_options,
	.failed = LAUNCH_FAILED,
	.run = run_main,
};
