/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: jemalloc linked statically: the program exports malloc() and its kin alone
 * build: $CC -g -O1 -o jemalloc_hidden $SRC/jemalloc_hidden.c -l:libjemalloc.a -lm -lstdc++
 * needs: libjemalloc-dev
 * run: jemalloc_hidden
 * expect: leak keeps 5000 5
 * expect: says allocator of its own in jemalloc_hidden, jemalloc
 */
#include <jemalloc/jemalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *volatile kept;

static __attribute__((noinline)) void keeps(void)
{
	kept = malloc(1000);
}

int main(void)
{
	char *object;
	int i;

	for (i = 0; i < 3000; i++) {
		object = malloc(96);
		memset(object, 1, 96);
		sdallocx(object, 96, 0); /* told, and believed */
		object = mallocx(2000, 0);
		memset(object, 1, nallocx(2000, 0));
		free(object);
		object = malloc(505);
		memset(object, 1, nallocx(505, 0));
		object = rallocx(object, 3000, 0);
		dallocx(object, 0);
	}
	for (i = 0; i < 5; i++)
		keeps();
	puts("done");
	return 0;
}
