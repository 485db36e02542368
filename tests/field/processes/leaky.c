/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: leaks 100 objects of 1,000 bytes; other situations start it
 * expect: leak leak_here 100000 100
 */
#include <stdio.h>
#include <stdlib.h>

static void *volatile sink;

__attribute__((noinline)) void leak_here(void)
{
	sink = malloc(1000);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 0; i < 100; i++)
		leak_here();
	printf("%s %d\n", argv[0] ? argv[0] : "none", argc);
	return argc;
}
