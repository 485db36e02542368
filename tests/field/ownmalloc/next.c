/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program wraps malloc() and finds the next by dlsym(RTLD_NEXT), each at its first call
 * build: $CC -g -O1 -fno-builtin -rdynamic -o next $SRC/next.c
 * run: next
 * expect: leak keeps 777 1
 * expect: not DOUBT
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *(*next_malloc)(size_t);
static void (*next_free)(void *);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static unsigned long calls;
static char early[8192];
static size_t used;

void *malloc(size_t size)
{
	if (!next_malloc)
		*(void **)&next_malloc = dlsym(RTLD_NEXT, "malloc");
	calls++;
	return next_malloc(size);
}

void free(void *object)
{
	if ((char *)object >= early && (char *)object < early + sizeof(early))
		return;
	if (!next_free)
		*(void **)&next_free = dlsym(RTLD_NEXT, "free");
	next_free(object);
}

void *calloc(size_t nr, size_t size)
{
	static int looking;

	if (!next_calloc && looking) {
		void *object = early + used;

		used += (nr * size + 15) & ~15ul;
		return object;
	}
	if (!next_calloc) {
		looking = 1;
		*(void **)&next_calloc = dlsym(RTLD_NEXT, "calloc");
	}
	calls++;
	return next_calloc(nr, size);
}

void *realloc(void *object, size_t size)
{
	if (!next_realloc)
		*(void **)&next_realloc = dlsym(RTLD_NEXT, "realloc");
	calls++;
	return next_realloc(object, size);
}

static __attribute__((noinline)) void *keeps(void)
{
	return malloc(777);
}

int main(void)
{
	char *object = malloc(100), *text = strdup("hello");
	int i;

	object = realloc(object, 5000);
	free(object);
	printf("%s %d\n", text, calls >= 3);
	free(text);
	for (i = 0; i < 3000; i++)
		free(realloc(calloc(3, i), 50 + i));
	return keeps() ? 3 : 4;
}
