/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a library that the program is linked with wraps malloc(); its calloc() calls malloc()
 * build: $CC -g -O1 -fno-builtin -shared -fPIC -DLIBRARY -o liblibrary.so $SRC/library.c
 * build: $CC -g -O1 -fno-builtin -o library $SRC/library.c -L. -llibrary -Wl,-rpath,'$ORIGIN'
 * run: library
 * expect: leak keeps 400 4
 * expect: allocations keeps 4
 * expect: not DOUBT
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned long library_calls(void);

#ifdef LIBRARY
static unsigned long calls;
static void *(*next_malloc)(size_t);
static void (*next_free)(void *);

void *malloc(size_t size)
{
	if (!next_malloc)
		*(void **)&next_malloc = dlsym(RTLD_NEXT, "malloc");
	calls++;
	return next_malloc(size);
}

void free(void *object)
{
	if (!next_free)
		*(void **)&next_free = dlsym(RTLD_NEXT, "free");
	next_free(object);
}

void *calloc(size_t nr, size_t size)
{
	return memset(malloc(nr * size), 0, nr * size);
}

unsigned long library_calls(void)
{
	return calls;
}
#else
static __attribute__((noinline)) void *keeps(void)
{
	return calloc(1, 100);
}

int main(void)
{
	unsigned long before = library_calls();
	int i, kept = 0;

	for (i = 0; i < 2000; i++)
		free(calloc(3, i + 1));
	before = library_calls() - before;
	for (i = 0; i < 4; i++)
		kept += keeps() != NULL;
	printf("%lu %d\n", before, kept);
	return 0;
}
#endif
