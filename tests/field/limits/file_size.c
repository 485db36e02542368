/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a server limits the size of its children's files; the store is larger: no SIGXFSZ
 * build: $CC -g -O0 -o file_size $SRC/file_size.c
 * expect: leak child 12345 1
 * expect: not not recorded
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static __attribute__((noinline)) void child(void)
{
	void *volatile kept = malloc(12345);

	(void)kept;
}

int main(void)
{
	const struct rlimit small = {1 << 20, 1 << 20};
	int status;

	setrlimit(RLIMIT_FSIZE, &small);
	if (!fork()) {
		child();
		_exit(5);
	}
	wait(&status);
	printf("%s %d\n", WIFSIGNALED(status) ? "signal" : "exit",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return 0;
}
