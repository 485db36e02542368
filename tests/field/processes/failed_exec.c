/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: an exec() that fails leaves a program that goes on, and is recorded
 * build: $CC -g -O1 -o failed_exec $SRC/failed_exec.c
 * expect: leak keep 200 2
 * expect: not replaced by exec
 * expect: not Not recorded
 */
#include <stdlib.h>
#include <unistd.h>

static void *volatile kept;

__attribute__((noinline)) static void keep(void)
{
	kept = malloc(100);
}

int main(void)
{
	keep();
	execl("/no/such/program", "none", NULL);
	execlp("no-such-program", "none", NULL);
	keep();
	return 2;
}
