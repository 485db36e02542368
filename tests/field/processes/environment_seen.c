/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: who prints, changes and hands on its environment, or looks for what lies behind it
 * build: $CC -shared -fPIC -o libearly.so $SRC/environment_early.c
 * build: $CC -static -o show_static $SRC/environment_show.c; $CC -o show $SRC/environment_show.c
 * build: $CC -g -O1 -o environment_seen $SRC/environment_seen.c -L. -Wl,--no-as-needed -learly -Wl,-rpath,$BIN
 * expect: unrecorded show_static \(static
 * expect: not sh \(
 * expect: not env \(
 * expect: not show \(
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

static char *show[] = {"show", NULL};
static char *own[] = {"C=3", "LD_PRELOAD=libc.so.6", NULL}, *none[] = {NULL};

static char show_path[4096];

static void list(const char *title, char **environment)
{
	int i;

	printf("%s:", title);
	for (i = 0; environment && environment[i]; i++)
		printf(" %s", environment[i]);
	printf("\n");
	fflush(stdout);
}

static void one(int number)
{
	switch (number) {
	case 0: execve(show_path, show, environ); break;
	case 1: execve(show_path, show, own); break;
	case 2: execve(show_path, show, none); break;
	case 3: execve(show_path, show, NULL); break;
	case 4: execv(show_path, show); break;
	case 5: execvp("show", show); break;
	case 6: execvpe("show", show, own); break;
	case 7: execl(show_path, "show", NULL); break;
	case 8: execlp("show", "show", NULL); break;
	case 9: execle(show_path, "show", NULL, own); break;
	case 10: fexecve(open(show_path, O_RDONLY | O_CLOEXEC), show, own); break;
	case 11: execveat(AT_FDCWD, show_path, show, own, 0); break;
	case 12: syscall(SYS_execve, show_path, show, own); break;
	case 13: syscall(SYS_execveat, AT_FDCWD, show_path, show, environ, 0); break;
	case 14: execvp("show_static", show); break;
	case 15: execvpe("show_static", show, own); break;
	case 16: execl("/bin/sh", "sh", "-c", "env; exec env", NULL); break;
	}
	_exit(100 + errno);
}

static void ended(pid_t pid)
{
	int status = -1;

	if (waitpid(pid, &status, 0) == pid)
		printf("%d\n", status);
	fflush(stdout);
}

static void starts(void)
{
	posix_spawn_file_actions_t actions;
	char line[4096];
	wordexp_t words;
	FILE *stream;
	int number;
	pid_t pid;

	for (number = 0; number <= 16; number++) {
		pid = number & 1 ? vfork() : fork();
		if (!pid)
			one(number);
		ended(pid);
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	if (!posix_spawn(&pid, show_path, &actions, NULL, show, environ))
		ended(pid);
	if (!posix_spawnp(&pid, "show", &actions, NULL, show, own))
		ended(pid);
	if (!posix_spawn(&pid, show_path, NULL, NULL, show, NULL))
		ended(pid);
	printf("%d\n", system("show; env; exit 3"));
	fflush(stdout);
	stream = popen("env; show", "r");
	while (stream && fgets(line, sizeof(line), stream))
		printf("| %s", line);
	printf("%d\n", stream ? pclose(stream) : -1);
	if (!wordexp("$(env)", &words, 0))
		list("words", words.we_wordv);
}

/* As Go's runtime does: in what the kernel made, and not in a list that was changed since. */
static void behind(char **environment)
{
	unsigned long *at;

	while (*environment)
		environment++;
	for (at = (unsigned long *)environment + 1; at[0] != AT_NULL && at[0] != AT_PAGESZ; at += 2)
		;
	printf("%lu %lu\n", at[0], at[1]);
}

static void many(void)
{
	char name[32];
	int i;

	for (i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "VARIABLE_%d", i);
		setenv(name, "value", 1);
	}
	for (i = 0; i < 60; i++) {
		pid_t pid = vfork();

		if (!pid) {
			execv("/none/show", show);
			execl("/bin/true", "true", NULL);
			_exit(127);
		}
		waitpid(pid, NULL, 0);
	}
}

int main(int argc, char **argv, char **environment)
{
	ssize_t length = readlink("/proc/self/exe", show_path, sizeof(show_path) - 100);

	show_path[length] = '\0';
	strcpy(strrchr(show_path, '/'), "/show");
	if (chdir("/"))
		return 1;
	list("main", environment);
	list("environ", environ);
	behind(argv + argc + 1);
	printf("%s %s\n", getenv("LD_PRELOAD"), getenv("STACKDEPOT_OPTIONS") ? "options" : "none");
	fflush(stdout);
	starts();
	setenv("LD_PRELOAD", "libm.so.6", 1);
	putenv("D=4");
	unsetenv("LC_ALL");
	list("changed", environ);
	starts();
	clearenv();
	list("cleared", environ);
	starts();
	many();
	return 0;
}
