/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program started through the loader leaks; that is not a leak of the loader
 * run: exec /lib64/ld-linux-x86-64.so.2 $BIN/through_loader
 * expect: leak leak_here 100000 100
 * modes: full guard
 * expect: says 97.7 KiB live in 100 objects
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *volatile kept;

static __attribute__((noinline)) void leak_here(void)
{
	kept = malloc(1000);
}

int main(void)
{
	int i;

	for (i = 0; i < 100; i++)
		leak_here();
	(void)!write(1, "done\n", 5);
	return 0;
}
