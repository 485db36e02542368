/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a static child, and a program that becomes one
 * build: $CC -static -g -O1 -o static_leaky $SRC/leaky.c; $CC -g -O1 -o static $SRC/static.c
 * expect: unrecorded 2 x .*static_leaky \(static\)
 * expect: says replaced by exec
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	void *volatile held = malloc(5000);
	int status;

	if (!fork()) {
		execlp("static_leaky", "static_leaky", NULL);
		_exit(127);
	}
	wait(&status);
	execlp("static_leaky", "static_leaky", "last", NULL);
	free(held);
	return 127;
}
