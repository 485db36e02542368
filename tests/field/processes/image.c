/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program that executes itself: the first image's objects are no leaks
 * build: $CC -g -O1 -o image $SRC/image.c
 * expect: leak first 0 0
 * expect: leak second 200 1
 * expect: says 1 process, 0 of them running, 1 program replaced by exec
 */
#include <stdlib.h>
#include <unistd.h>

static void *volatile kept;

__attribute__((noinline)) static void first(void)
{
	kept = malloc(100);
}

__attribute__((noinline)) static void second(void)
{
	kept = malloc(200);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		second();
		return 3;
	}
	first();
	execl("/proc/self/exe", argv[0], "again", NULL);
	return 1;
}
