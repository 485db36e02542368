/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: closefrom(3) of a daemon, then it goes on, and forks
 * build: $CC -g -O0 -o closes_everything $SRC/closes_everything.c
 * expect: leak keep 7000 7
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *volatile kept;

__attribute__((noinline)) static void keep(void)
{
	kept = malloc(1000);
}

int main(void)
{
	int i, status;

	closefrom(3);
	for (i = 0; i < 5; i++)
		keep();
	if (!fork()) {
		closefrom(0);
		keep();
		keep();
		_exit(dup(0) != -1);
	}
	wait(&status);
	return WEXITSTATUS(status);
}
