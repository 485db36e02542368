/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* launch.c - start a program with the recorder preloaded, and wait for it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "base/program.h"
#include "launch.h"
#include "stop.h"

#define PRELOAD "libstackdepot-preload.so"

/* --- the preload library ---------------------------------------------------------------------- */

static char *launch_join(const char *directory, const char *below)
{
	char *path = memory_alloc(strlen(directory) + strlen(below) + 2);

	strcat(strcat(strcpy(path, directory), "/"), below);
	return path;
}

char *launch_preload(void)
{
	static const char *const places[] = {"../recorder/" PRELOAD, LAUNCH_RELATIVE "/" PRELOAD};
	char self[PATH_MAX], *path;
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t i;

	if (length > 0) {
		self[length] = '\0';
		*strrchr(self, '/') = '\0';
		for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			char *joined = launch_join(self, places[i]);

			path = realpath(joined, NULL);
			free(joined);
			if (path)
				return path;
		}
	}
	if (!access(LAUNCH_INSTALLED "/" PRELOAD, R_OK))
		return memory_strdup(LAUNCH_INSTALLED "/" PRELOAD);
	complain(PRELOAD " is not where it was installed, " LAUNCH_INSTALLED);
	return NULL;
}

char *launch_service_preload(const char *root, char **ret_file)
{
	char *path = root ? NULL : launch_preload(), *installed = realpath(LAUNCH_INSTALLED, NULL);
	const bool is_installed =
		root || (path && installed && !strncmp(path, installed, strlen(installed)));

	free(installed);
	if (!root && !path)
		return NULL;
	*ret_file =
		is_installed ? memory_strdup(LAUNCH_INSTALLED "/" PRELOAD) : memory_strdup(path);
	if (!is_installed)
		return path;
	free(path);
	return memory_strdup(LAUNCH_LOADER "/" PRELOAD);
}

/* --- the program ------------------------------------------------------------------------------ */

static bool launch_can(const char *path)
{
	char *trouble = program_trouble(NULL, path, geteuid(), getegid());

	if (trouble)
		complain("%s", trouble);
	free(trouble);
	return !trouble;
}

/* As execvp() finds it. */
static char *launch_search(const char *program)
{
	const char *path = getenv("PATH");
	char *copy, *at, *directory, *found = NULL;

	if (strchr(program, '/'))
		return memory_strdup(program);
	copy = at = memory_strdup(path ? path : "/usr/bin:/bin");
	while (!found && (directory = strsep(&at, ":"))) {
		char *candidate = launch_join(*directory ? directory : ".", program);
		struct stat st;

		if (!access(candidate, X_OK) && !stat(candidate, &st) && S_ISREG(st.st_mode))
			found = candidate;
		else
			free(candidate);
	}
	free(copy);
	return found ? found : memory_strdup(program);
}

char *launch_find(const char *program, int *ret_status)
{
	char *path = launch_search(program);
	struct stat st;

	*ret_status = LAUNCH_CANNOT;
	if (stat(path, &st)) {
		*ret_status =
			errno == ENOENT || errno == ENOTDIR ? LAUNCH_NOT_FOUND : LAUNCH_CANNOT;
		complain("%s: %s", program, strerror(errno));
	} else if (S_ISDIR(st.st_mode)) {
		complain("%s: %s", program, strerror(EISDIR));
	} else if (access(path, X_OK)) {
		complain("%s: %s", program, strerror(errno));
	} else if (strlen(path) < PATH_MAX && launch_can(path)) {
		return path;
	}
	free(path);
	return NULL;
}

/* --- run -------------------------------------------------------------------------------------- */

static volatile sig_atomic_t launch_child;
static volatile sig_atomic_t launch_continued;

/* What is sent to us is meant for the program; from the terminal it gets it anyway. */
static void launch_forward(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (number == SIGCONT)
		launch_continued = true;
	if (info->si_code <= 0 && launch_child > 0 &&
	    !(number == SIGCONT && stop_was_ended_by(info->si_pid)))
		kill((pid_t)launch_child, number);
}

/* SIGCHLD is here as who ignores it has no child to wait for. */
static const int launch_signals[] = {SIGINT,  SIGQUIT, SIGTERM, SIGHUP, SIGUSR1,
				     SIGUSR2, SIGCONT, SIGTSTP, SIGCHLD};

#define LAUNCH_SIGNALS (sizeof(launch_signals) / sizeof(launch_signals[0]))

static void launch_watch_signals(struct sigaction *ret_old)
{
	struct sigaction action = {.sa_sigaction = launch_forward,
				   .sa_flags = SA_SIGINFO | SA_RESTART};
	const struct sigaction plain = {.sa_handler = SIG_DFL};
	size_t i;

	for (i = 0; i < LAUNCH_SIGNALS; i++)
		sigaction(launch_signals[i], launch_signals[i] == SIGCHLD ? &plain : &action,
			  &ret_old[i]);
}

static void launch_restore_signals(const struct sigaction *old)
{
	size_t i;

	for (i = 0; i < LAUNCH_SIGNALS; i++)
		sigaction(launch_signals[i], &old[i], NULL);
}

/* A second has passed: wait() returns, and is called again. */
static void launch_tick(int number)
{
	(void)number;
}

static void launch_set_timer(time_t seconds)
{
	struct sigaction action = {.sa_handler = launch_tick};
	struct itimerval timer = {{seconds, 0}, {seconds, 0}};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* For its end, or for EINTR. We stop with it, but not if we both were continued meanwhile. */
static bool launch_wait_once(struct launch *launch)
{
	for (;;) {
		launch_continued = false;
		if (waitpid(launch->pid, &launch->wait_status, WUNTRACED) < 0)
			return false;
		if (!WIFSTOPPED(launch->wait_status))
			return true;
		if (!launch_continued)
			stop_with(launch->pid, WSTOPSIG(launch->wait_status));
	}
}

static bool launch_wait(struct launch *launch)
{
	if (launch->every_second)
		launch_set_timer(1);
	while (!launch_wait_once(launch)) {
		if (errno != EINTR)
			return false;
		if (launch->every_second)
			launch->every_second(launch);
	}
	launch->ended = true;
	if (launch->every_second)
		launch_set_timer(0);
	return true;
}

void launch_wait_out(struct launch *launch)
{
	while (!launch->ended && waitpid(launch->pid, &launch->wait_status, 0) < 0)
		if (errno != EINTR)
			return;
	launch->ended = true;
}

/* NAME=VALUE and what the variable has now, as far as it is set: VALUE in front, or behind. */
static char *launch_variable(const char *name, const char *value, bool in_front)
{
	const char *now = getenv(name);

	if (!now || !*now)
		return memory_print("%s=%s", name, value);
	return in_front ? memory_print("%s=%s:%s", name, value, now)
			: memory_print("%s=%s:%s", name, now, value);
}

/*
 * The environment of the program, made before fork(): after it nothing is allocated. Ours comes
 * last, where the recorder takes it out again; a variable LD_PRELOAD of the user's stays where it
 * is. Of an option that is given twice the last one holds, which is the command line's.
 */
static char **launch_environment(const struct launch *launch)
{
	static const char options[] = "STACKDEPOT_OPTIONS=";
	size_t i, nr = 0, used = 0;
	char **list;

	while (environ[nr])
		nr++;
	list = memory_alloc((nr + 3) * sizeof(*list));
	for (i = 0; i < nr; i++)
		if (strncmp(environ[i], options, strlen(options)))
			list[used++] = environ[i];
	list[used++] = launch_variable("STACKDEPOT_OPTIONS", launch->options, false);
	list[used++] = launch_variable("LD_PRELOAD", launch->preload, true);
	list[used] = NULL;
	return list;
}

/* Does not return; what went wrong goes into the pipe, which exec() closes. */
static void launch_exec(const struct launch *launch, char **environment, int failure)
{
	execve(launch->program, launch->argv, environment);
	(void)!write(failure, &errno, sizeof(errno));
	_exit(LAUNCH_CANNOT);
}

static bool launch_complain(const char *what)
{
	complain("%s: %s", what, strerror(errno));
	return false;
}

/* Waits until the program has begun. */
static bool launch_has_failed(struct launch *launch, int failure)
{
	int error;

	if (read(failure, &error, sizeof(error)) != sizeof(error))
		return false;
	complain("%s: %s", launch->program, strerror(error));
	launch->failed_status = error == ENOENT ? LAUNCH_NOT_FOUND : LAUNCH_CANNOT;
	return true;
}

static void launch_free(char **environment)
{
	size_t nr = 0;

	while (environment[nr])
		nr++;
	free(environment[nr - 2]);
	free(environment[nr - 1]);
	free(environment);
}

bool launch_run(struct launch *launch)
{
	struct sigaction old[LAUNCH_SIGNALS];
	char **environment;
	int failure[2];
	bool done;
	pid_t pid;

	launch->failed_status = LAUNCH_FAILED;
	if (pipe2(failure, O_CLOEXEC))
		return launch_complain("pipe");
	environment = launch_environment(launch);
	launch_watch_signals(old);
	pid = fork();
	if (pid == 0) {
		launch_restore_signals(old);
		launch_exec(launch, environment, failure[1]);
	}
	(void)close(failure[1]);
	launch->pid = pid;
	launch_child = pid;
	done = pid < 0 ? launch_complain("fork") : !launch_has_failed(launch, failure[0]);
	done &= pid > 0 && launch_wait(launch);
	(void)close(failure[0]);
	launch_child = 0;
	launch_restore_signals(old);
	launch_free(environment);
	return done;
}
