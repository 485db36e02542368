/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program's malloc() calls functions that call malloc() again, by every way there is
 * build: $CC -g -O1 -fno-builtin -rdynamic -o goes_round $SRC/goes_round.c
 * run: goes_round
 * expect: leak keeps 300 3
 * expect: allocations keeps 3
 * expect: not DOUBT
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t size);
void __libc_free(void *object);

static int depth;
static unsigned long inner;

/* What it asks for itself comes from the C library. */
void *malloc(size_t size)
{
	char text[64], *copy;

	if (depth++) {
		depth--;
		inner++;
		return __libc_malloc(size);
	}
	snprintf(text, sizeof(text), "%zu", size);
	copy = strdup(text);				     /* malloc() */
	(void)dlsym(RTLD_NEXT, "there_is_no_such_function"); /* keeps a message */
	free(copy);
	depth--;
	return __libc_malloc(size);
}

void free(void *object)
{
	__libc_free(object);
}

void *calloc(size_t nr, size_t size)
{
	return memset(malloc(nr * size), 0, nr * size);
}

void *realloc(void *object, size_t size)
{
	void *moved = malloc(size);

	if (object)
		memcpy(moved, object, size < 16 ? size : 16);
	free(object);
	return moved;
}

static __attribute__((noinline)) void *keeps(void)
{
	return malloc(100);
}

int main(void)
{
	int i, kept = 0;

	for (i = 0; i < 2000; i++)
		free(realloc(calloc(3, i + 16), 50));
	for (i = 0; i < 3; i++)
		kept += keeps() != NULL;
	printf("%d %d\n", kept, inner >= 2000);
	return 0;
}
