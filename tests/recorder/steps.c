/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * steps.c - how many instructions a pair of malloc() and free() takes, counted one by one.
 *
 * usage: recorder-steps begun|forked
 *
 * Of a process that was begun with the environment, or of a forked child of one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

enum { PAIRS = 20, WARM = 50, MOST_STEPS = 1000000, NO_TRACING = 77 };

static void pairs(int nr)
{
	for (int i = 0; i < nr; i++) {
		void *volatile pointer = malloc(32);

		free(pointer);
	}
}

/* Its stops are signals of its own: one after fork(), these two around what is counted. */
static int counted(void)
{
	pairs(WARM);
	raise(SIGSTOP);
	pairs(PAIRS);
	raise(SIGSTOP);
	return 0;
}

/* Up to where it stops by itself; -1 if it ends. */
static long follow(pid_t pid, enum __ptrace_request how)
{
	int status, signal = 0;
	long steps = 0;

	for (;;) {
		if (ptrace(how, pid, NULL, (void *)(long)signal) || waitpid(pid, &status, 0) < 0 ||
		    !WIFSTOPPED(status))
			return -1;
		if (WSTOPSIG(status) == SIGSTOP)
			return steps;
		signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
		if (steps++ > MOST_STEPS)
			return -1;
	}
}

int main(int argc, char **argv)
{
	int status;
	long steps;
	pid_t pid;

	if (argc == 2 && !strcmp(argv[1], "counted"))
		return counted();
	if (argc != 2 || (strcmp(argv[1], "begun") && strcmp(argv[1], "forked")))
		return 2;
	pairs(WARM);
	pid = fork();
	if (!pid) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(NO_TRACING);
		raise(SIGSTOP);
		if (!strcmp(argv[1], "forked"))
			_exit(counted());
		execl("/proc/self/exe", argv[0], "counted", (char *)NULL);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_TRACING)
		return NO_TRACING;
	follow(pid, PTRACE_CONT);
	steps = follow(pid, PTRACE_SINGLESTEP);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	printf("%.1f\n", (double)steps / PAIRS);
	return steps < 0;
}
