/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: programs of another C library, started in every way, stop at a library of glibc's
 * build: musl-gcc -g -O1 -o musl_leaky $SRC/leaky.c; $CC -g -O1 -o musl $SRC/musl.c
 * needs: musl-tools
 * expect: unrecorded 4 x .*musl_leaky \(another loader
 */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void wait_for(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	printf("%d\n", WEXITSTATUS(status));
	fflush(stdout);
}

int main(void)
{
	char *arguments[] = {"name", "1", NULL};
	pid_t pid;

	pid = fork();
	if (!pid) {
		execvp("musl_leaky", arguments);
		_exit(127);
	}
	wait_for(pid);
	pid = vfork();
	if (!pid) {
		execlp("musl_leaky", "name", "1", "2", NULL);
		_exit(127);
	}
	wait_for(pid);
	if (posix_spawnp(&pid, "musl_leaky", NULL, NULL, arguments, environ))
		return 1;
	wait_for(pid);
	printf("%d\n", WEXITSTATUS(system("musl_leaky")));
	return 0;
}
