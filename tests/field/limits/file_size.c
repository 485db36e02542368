/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a server limits the size of its children's files; a store is larger: no SIGXFSZ
 * build: $CC -g -O0 -o file_size $SRC/file_size.c
 * expect: says forked: not recorded: .*RLIMIT_FSIZE
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	const struct rlimit small = {1 << 20, 1 << 20};
	int status;

	setrlimit(RLIMIT_FSIZE, &small);
	if (!fork()) {
		free(malloc(100));
		_exit(5);
	}
	wait(&status);
	printf("%s %d\n", WIFSIGNALED(status) ? "signal" : "exit",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return 0;
}
