/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program wraps malloc() and free(), and in places calls the C library's past its own
 * build: $CC -g -O1 -fno-builtin -rdynamic -o past_it $SRC/past_it.c
 * run: past_it
 * expect: leak keeps 300 3
 * expect: not DOUBT
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *(*next_malloc)(size_t);
static void (*next_free)(void *);
static long mallocs, frees;

void *malloc(size_t size)
{
	if (!next_malloc)
		*(void **)&next_malloc = dlsym(RTLD_NEXT, "malloc");
	mallocs++;
	return next_malloc(size);
}

void free(void *object)
{
	if (!next_free)
		*(void **)&next_free = dlsym(RTLD_NEXT, "free");
	frees++;
	next_free(object);
}

static __attribute__((noinline)) void *keeps(void)
{
	return next_malloc(100);
}

int main(void)
{
	long before_mallocs, before_frees;
	int i, kept = 0;

	free(malloc(1));
	before_mallocs = mallocs;
	before_frees = frees;
	for (i = 0; i < 1000; i++) {
		next_free(malloc(i));
		free(next_malloc(i));
		next_free(next_malloc(3000));
	}
	before_mallocs = mallocs - before_mallocs;
	before_frees = frees - before_frees;
	for (i = 0; i < 3; i++)
		kept += keeps() != NULL;
	printf("%ld %ld %d\n", before_mallocs, before_frees, kept);
	return 0;
}
