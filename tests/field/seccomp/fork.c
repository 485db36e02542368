/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a server under a filter forks workers, which may not open anything
 * build: $CC -g -O1 -o fork $SRC/fork.c -ldl -lm
 */
#include <dlfcn.h>
#include <sys/wait.h>
#include "filter.h"

int main(void)
{
	int i, status;

	free(malloc(10));
	FILTER_ALLOW(FILTER_MALLOC, SYS_clone, SYS_wait4, SYS_set_robust_list, SYS_rseq);
	for (i = 0; i < 3; i++) {
		pid_t child = fork();

		if (!child) {
			for (i = 0; i < 1000; i++)
				free(malloc(50 + (size_t)i));
			_exit(5);
		}
		if (waitpid(child, &status, 0) < 0)
			_exit(1);
		printf("child: %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	}
	fflush(stdout);
	_exit(7);
}
