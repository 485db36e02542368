/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a child of vfork() that tries one path after the other, as shells do; a long environment
 * build: $CC -g -O1 -o leaky $SRC/leaky.c; $CC -g -O1 -o vfork_retries $SRC/vfork_retries.c
 * expect: leak leak_here 100000 100
 * expect: not Not recorded
 * expect: not replaced by exec
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	char name[32], *arguments[] = {"leaky", "x", NULL};
	volatile int tried = 0;
	int i, status;

	for (i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "VARIABLE_%d", i);
		setenv(name, "value", 1);
	}
	if (!vfork()) {
		execv("/none/leaky", arguments);
		tried += errno == ENOENT;
		execve("/dev/null", arguments, environ);
		tried += errno == EACCES;
		execvpe("leaky", arguments, environ);
		_exit(127);
	}
	wait(&status);
	printf("%d %d\n", tried, WEXITSTATUS(status));
	return 0;
}
