/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: RLIMIT_NOFILE of 3: nothing can be opened, in a child and in a program
 * build: $CC -g -O0 -o no_descriptors $SRC/no_descriptors.c
 * expect: leak child 4321 1
 * expect: unrecorded 1 x /proc/self/exe \(the recorder's library
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static __attribute__((noinline)) void child(void)
{
	void *volatile kept = malloc(4321);

	(void)kept;
}

int main(int argc, char **argv)
{
	struct rlimit few = {3, 3};
	int status;

	(void)argv;
	if (argc > 1)
		return dup(0) == -1 ? 7 : 0;
	setrlimit(RLIMIT_NOFILE, &few);
	if (!fork()) {
		child();
		_exit(dup(0) == -1 ? 6 : 0);
	}
	wait(&status);
	printf("%d\n", WEXITSTATUS(status));
	fflush(stdout);
	if (!fork()) {
		execl("/proc/self/exe", "again", "again", NULL);
		_exit(127);
	}
	wait(&status);
	/* The loader cannot open a library then. */
	printf("%d\n", WEXITSTATUS(status));
	return 0;
}
