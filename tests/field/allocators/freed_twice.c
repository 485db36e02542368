/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a block is freed twice; the C library notices, says so and ends the program
 * run: freed_twice
 * expect: errors double-free 1
 * modes: full guard
 */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	void *volatile object = malloc(40);

	puts("before");
	fflush(stdout);
	free(object);
	free(object);
	puts("after");
	return 0;
}
