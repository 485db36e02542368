/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a block is freed again when its first free is long past; the C library notices, says so
 * field: and ends the program
 * run: freed_late
 * expect: errors double-free 1
 * modes: full guard
 */
#include <stdio.h>
#include <stdlib.h>

/* More than the recorder puts off; of another size, so that they do not take its place. */
#define OTHERS 1000

int main(void)
{
	void *volatile object = malloc(40), *volatile other;
	int i;

	free(object);
	for (i = 0; i < OTHERS; i++) {
		other = malloc(200);
		free(other);
	}
	puts("before");
	fflush(stdout);
	free(object);
	puts("after");
	return 0;
}
