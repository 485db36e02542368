/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* run.c - `stackdepot run`: record a program, and say where the record is. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "base/status.h"
#include "exits.h"
#include "launch.h"
#include "options.h"
#include "profile/alive.h"
#include "profile/profile.h"
#include "report/report.h"
#include "suppress/suppress.h"
#include "symbols/code_names.h"
#include "text/number.h"
#include "text/text.h"

#define OPTIONS_BYTES (2 * PATH_MAX)
#define RUN_STORE_BYTES (64u << 20)
#define RUN_PATH_BYTES 1024u /* the recorder's RECORDER_PATH_BYTES */

/* What is a leak when the program ends, if that is asked. */
enum run_leaks { RUN_LEAKS_NO, RUN_LEAKS_LOST, RUN_LEAKS_LIVE };

struct run {
	char store[PATH_MAX];
	char options[OPTIONS_BYTES];
	uint64_t store_bytes; /* 0: left to STACKDEPOT_OPTIONS */
	int error_exitcode;   /* -1: the program's own */
	bool append;	      /* to a store that is there */
	bool quiet;
	enum run_leaks leaks; /* that count as errors */
	struct suppress *suppress;
};

enum {
	RUN_MEMORY = 256,
	RUN_STORE,
	RUN_MODE,
	RUN_OVERHEAD,
	RUN_ON_ERROR,
	RUN_EXITCODE,
	RUN_FOLLOW,
	RUN_TAGS,
	RUN_APPEND,
	RUN_QUIET,
	RUN_LOST,
	RUN_LEAKS
};

static const struct command_option run_options[] = {
	{"memory", "BYTES", RUN_MEMORY, "size of the store, fixed (64M)", false},
	{"store", "FILE", RUN_STORE, "the store (PROGRAM.PID.stackdepot)", false},
	{"mode", "full|sample=BYTES|off", RUN_MODE,
	 "all objects, one in so many bytes, or none until `set` says so", false},
	{"overhead", "PERCENT", RUN_OVERHEAD, "sample, to take so much of the CPU time at most",
	 false},
	{"on-error", "report|abort", RUN_ON_ERROR, "go on, or end the program", false},
	{"error-exitcode", "N", RUN_EXITCODE, "exit status if errors were found", false},
	{"lost", NULL, RUN_LOST, "the same as --leaks-at-exit=lost", false},
	{"leaks-at-exit", "lost|live", RUN_LEAKS,
	 "report what nothing points to at the end, or all that is live; as errors", false},
	{"follow-children", "yes|no", RUN_FOLLOW, "record what it starts, too (yes)", false},
	{"tags", "sync|async|auto|off", RUN_TAGS,
	 "check each access by hardware tags, where the processor has them (off)", false},
	{"append", NULL, RUN_APPEND, "go on with a store that is there, as one run more", false},
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

static bool run_tags(const char *value)
{
	return run_is_one_of(value, "sync", "async") || run_is_one_of(value, "auto", "off");
}

static bool run_mode(const char *value)
{
	enum stackdepot_mode mode;
	uint64_t number;

	return options_mode(value, &mode, &number) && mode != STACKDEPOT_MODE_OVERHEAD;
}

static bool run_overhead(struct run *run, const char *value)
{
	uint64_t thousandths;
	char number[32];

	if (!options_percent(value, &thousandths))
		return false;
	snprintf(number, sizeof(number), "%" PRIu64 ".%03" PRIu64, thousandths / 1000,
		 thousandths % 1000);
	return run_add(run, "overhead", number);
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
	return number_bytes(value, &run->store_bytes) && run->store_bytes >= 1u << 20 &&
	       run->store_bytes <= 1ull << 40 && run_add(run, "memory", value);
}

static bool run_leaks(struct run *run, const char *value)
{
	run->leaks = strcmp(value, "live") ? RUN_LEAKS_LOST : RUN_LEAKS_LIVE;
	return run_is_one_of(value, "lost", "live");
}

static bool run_option(struct run *run, int option, const char *value)
{
	switch (option) {
	case RUN_MEMORY:
		return run_memory(run, value);
	case RUN_STORE:
		return *value && strlen(value) < sizeof(run->store) && strcpy(run->store, value);
	case RUN_MODE:
		return run_mode(value) && run_add(run, "mode", value);
	case RUN_OVERHEAD:
		return run_overhead(run, value);
	case RUN_ON_ERROR:
		return run_is_one_of(value, "report", "abort") && run_add(run, "on-error", value);
	case RUN_FOLLOW:
		return run_is_one_of(value, "yes", "no") && run_add(run, "follow-children", value);
	case RUN_TAGS:
		return run_tags(value) && run_add(run, "tags", value);
	case RUN_APPEND:
		return run->append = true;
	case RUN_EXITCODE:
		return run_exitcode(run, value);
	case RUN_LOST:
		return run_leaks(run, "lost");
	case RUN_LEAKS:
		return run_leaks(run, value);
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

/* It is a file with nothing in it: as a run that was killed leaves it before a process records. */
static bool run_is_empty(const struct run *run)
{
	struct stat st;

	return !lstat(run->store, &st) && S_ISREG(st.st_mode) && !st.st_size;
}

/* The store's absolute name, as the program may change directory. */
static bool run_store(struct run *run, const char *program)
{
	const char *slash = strrchr(program, '/');
	struct stackdepot_store *old;
	char given[PATH_MAX];
	size_t length = 0;
	int error;

	if (!run->store[0])
		snprintf(run->store, sizeof(run->store), "%.200s.%d.stackdepot",
			 slash ? slash + 1 : program, (int)getpid());
	strcpy(given, run->store);
	if (given[0] != '/') {
		if (!getcwd(run->store, sizeof(run->store))) {
			complain("the current directory: %s", strerror(errno));
			return false;
		}
		length = strlen(run->store) + 1;
	}
	if (length + strlen(given) >= RUN_PATH_BYTES) {
		complain("%s: the path of a store has at most %u bytes", given, RUN_PATH_BYTES - 1);
		return false;
	}
	if (length)
		strcat(strcat(run->store, "/"), given);
	if (strchr(run->store, ':')) {
		complain("%s: the name of a store has no colon", run->store);
		return false;
	}
	error = stackdepot_store_open(run->store, &old);
	if (error == -ENOENT || run_is_empty(run))
		return true;
	if (error) {
		complain("%s: exists, and is %s; it is left alone", run->store,
			 error == -EPROTONOSUPPORT ? "a store of another version" : "not a store");
		return false;
	}
	stackdepot_store_close(old);
	return true;
}

/* An old store gives way, unless it is to go on. */
static void run_remove_old(const struct run *run)
{
	if (run->append)
		return;
	(void)unlink(run->store);
	code_names_forget(run->store);
	lost_forget(run->store);
}

/*
 * Blocks for so much, behind the end of the file, where the recorder finds them when it makes the
 * store. To find out by writing that there are none is a signal, where files are limited.
 */
static int run_room(int fd, uint64_t bytes)
{
	struct rlimit size;
	struct statvfs fs;

	if (!getrlimit(RLIMIT_FSIZE, &size) && size.rlim_cur < bytes)
		return EFBIG;
	if (!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes))
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return errno;
	/* The recorder will write all of it. */
	return !fstatvfs(fd, &fs) && fs.f_bavail * fs.f_frsize < bytes ? ENOSPC : 0;
}

/* No process has made a store of it. */
static void run_remove_empty(const struct run *run)
{
	if (run_is_empty(run))
		(void)unlink(run->store);
}

/* Can it be made, is there room for it? */
static int run_try_new(const struct run *run)
{
	int error = 0, fd = open(run->store, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	if (run->store_bytes)
		error = run_room(fd, run->store_bytes);
	(void)close(fd);
	if (error)
		(void)unlink(run->store);
	return error;
}

/* The recorder of a program that cannot open it has no place to say so. */
static int run_try_old(const struct run *run)
{
	int fd = open(run->store, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

/* Before the program has begun, it can be refused. */
static bool run_try(const struct run *run)
{
	const bool goes_on = run->append && !access(run->store, F_OK);
	const int error = goes_on ? run_try_old(run) : run_try_new(run);

	if (error)
		complain("%s: %s; nothing was run", run->store, strerror(error));
	return !error;
}

/* Of code that processes made, before its files go; all of them, or those that run. */
static void run_keep_names(const char *path, bool all)
{
	struct stackdepot_store_info info;
	struct stackdepot_store *store;
	uint64_t position = 0;

	if (stackdepot_store_open(path, &store))
		return;
	while (stackdepot_store_next_process(store, &position, &info))
		if (all || alive_is_running(&info))
			code_names_keep(path, store, &info);
	stackdepot_store_close(store);
}

/*
 * Names of code go with a process, and in a container with its files; so they are looked at while
 * it runs, ever more seldom, as that takes as long as there are names.
 */
static void run_each_second(const struct launch *launch)
{
	static unsigned int seconds;

	(void)stackdepot_store_settle(launch->store);
	seconds++;
	if (!(seconds & (seconds - 1)))
		run_keep_names(launch->store, false);
}

/* --- afterwards ------------------------------------------------------------------------------- */

#define RUN_SAY_PROCESSES 8u /* lines that name a process each, at the end of a run of many */

static void run_say(const struct profile *profile, const struct profile_process *process)
{
	char number[TEXT_NUMBER], bytes[TEXT_BYTES], objects[TEXT_NUMBER], only[32] = "";
	const struct stackdepot_store_info *info = &process->info;

	if (process != profile->processes)
		snprintf(only, sizeof(only), "--process=%u ", info->pid);
	complain("%.60s (%u): %s, %s live in %s; stackdepot report %s%s",
		 info->command_bytes ? info->command : "?", info->pid,
		 text_number((double)process->errors, "error", number),
		 text_bytes(process->live.bytes, bytes),
		 text_number(process->live.objects, "object", objects), only,
		 profile_store_of(profile, process)->path);
}

/* Worth a line: the program itself, and processes with errors, as far as there is room. */
static size_t run_say_processes(const struct profile *profile)
{
	size_t i, said = 0;

	for (i = 0; i < profile->nr_processes && said < RUN_SAY_PROCESSES; i++) {
		const struct profile_process *process = &profile->processes[i];

		if (i && !process->errors && profile->nr_processes > RUN_SAY_PROCESSES)
			continue;
		run_say(profile, process);
		said++;
	}
	return said;
}

static void run_say_rest(const struct run *run, const struct profile *profile, size_t said)
{
	const size_t more = profile->info.processes - said;

	if (more)
		complain("%zu more %s, in the same store", more,
			 more == 1 ? "process" : "processes");
	suppress_print(stderr, run->suppress, SUPPRESS_ALL);
	if (profile->info.processes_dropped)
		complain("%llu more %s not recorded: too many at a time; --memory",
			 (unsigned long long)profile->info.processes_dropped,
			 profile->info.processes_dropped == 1 ? "process was" : "processes were");
}

static uint64_t run_errors(const struct profile *profile)
{
	uint64_t errors = 0;
	size_t i;

	for (i = 0; i < profile->nr_processes; i++)
		errors += profile->processes[i].errors;
	return errors;
}

/* As `stackdepot report` has it, but where the program's own output is not. */
static bool run_report_leaks(const struct run *run, const struct targets *targets)
{
	struct targets leaks = *targets;
	struct report report = {.suppress = run->suppress};
	struct profile *profile;
	bool any = false;

	suppress_add_builtin(run->suppress);
	leaks.lost = run->leaks == RUN_LEAKS_LOST;
	options_report(&report);
	(void)fflush(stdout);
	(void)dup2(STDERR_FILENO, STDOUT_FILENO);
	report.style.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	profile = profile_open(&leaks, suppress_filter(run->suppress));
	report.profile = profile;
	if (profile)
		any = leaks.lost ? report_lost(&report) : report_leaks(&report);
	(void)fflush(stdout);
	profile_close(profile);
	return any;
}

/* Errors seen in the run, but for those that are suppressed. */
static uint64_t run_finish(const struct run *run, const struct launch *launch)
{
	char *store = (char *)(uintptr_t)run->store;
	const struct targets targets = {.names = &store, .nr = 1};
	struct profile *profile;
	uint64_t errors;

	if (access(store, F_OK)) {
		complain("nothing was recorded");
		return 0;
	}
	(void)stackdepot_store_finish(store, (uint32_t)launch->pid, (uint32_t)launch->wait_status);
	(void)stackdepot_store_settle(store);
	run_keep_names(store, true);
	profile = profile_open(&targets, suppress_filter(run->suppress));
	if (!profile)
		return 0;
	errors = run_errors(profile);
	if (!run->quiet) {
		size_t said = run_say_processes(profile);

		text_notes(stderr, "stackdepot: ", profile);
		text_unrecorded(stderr, "stackdepot: ", profile);
		run_say_rest(run, profile, said);
	} else {
		text_notes(stderr, "stackdepot: ", profile);
	}
	profile_close(profile);
	if (run->leaks)
		errors += run_report_leaks(run, &targets);
	return errors;
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
	bool done;

	run_remove_old(run);
	if (!run_add(run, "store", run->store) || !run_add(run, "stderr", "no") ||
	    (run->leaks == RUN_LEAKS_LOST && !run_add(run, "look-at-exit", "yes"))) {
		complain("%s: the name is too long", run->store);
		return LAUNCH_FAILED;
	}
	run_launched = launch;
	launch->options = run->options;
	launch->store = run->store;
	launch->every_second = run_each_second;
	if (!run_try(run))
		return LAUNCH_FAILED;
	if (run->leaks == RUN_LEAKS_LOST && !exits_begin(run->store)) {
		run_remove_empty(run);
		return LAUNCH_FAILED;
	}
	done = launch_run(launch);
	exits_end();
	run_remove_empty(run);
	if (!done)
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
