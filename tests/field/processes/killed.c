/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a child that is killed, one that is a zombie for long, and one that kills itself
 * build: $CC -g -O0 -o killed $SRC/killed.c
 * expect: says 4 processes, 0 of them running
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int ready[2], status, i;
	pid_t pid[3];
	char byte;

	if (pipe(ready))
		return 1;
	for (i = 0; i < 3; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		free(malloc(100));
		(void)!write(ready[1], "x", 1);
		if (i == 1)
			_exit(7);
		if (i == 2)
			raise(SIGKILL);
		pause();
	}
	for (i = 0; i < 3; i++)
		(void)!read(ready[0], &byte, 1);
	kill(pid[0], SIGKILL);
	for (i = 0; i < 3; i++) {
		waitpid(pid[i], &status, 0);
		printf("%d %d\n", WIFSIGNALED(status),
		       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	}
	return 0;
}
