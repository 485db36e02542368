/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program wraps malloc(); the next ones are looked up together, at first or at the start
 * build: $CC -g -O1 -fno-builtin -rdynamic -o next_together $SRC/next_together.c
 * build: $CC -g -O1 -fno-builtin -rdynamic -DAT_START -o next_at_start $SRC/next_together.c
 * run: next_together && next_at_start
 * expect: leak keeps 1554 2
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
static char early[65536];
static size_t used;
static int looking;

static int is_early(void *object)
{
	return (char *)object >= early && (char *)object < early + sizeof(early);
}

static void *take_early(size_t size)
{
	void *object = early + used;

	used += (size + 15) & ~15ul;
	return object;
}

#ifdef AT_START
__attribute__((constructor))
#endif
static void
look(void)
{
	looking = 1;
	*(void **)&next_malloc = dlsym(RTLD_NEXT, "malloc");
	*(void **)&next_free = dlsym(RTLD_NEXT, "free");
	*(void **)&next_calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)&next_realloc = dlsym(RTLD_NEXT, "realloc");
	looking = 0;
}

static int ready(void)
{
#ifndef AT_START
	if (!next_malloc && !looking)
		look();
#endif
	return next_malloc && !looking;
}

void *malloc(size_t size)
{
	if (!ready())
		return take_early(size);
	calls++;
	return next_malloc(size);
}

void free(void *object)
{
	if (!is_early(object) && ready())
		next_free(object);
}

void *calloc(size_t nr, size_t size)
{
	if (!ready())
		return take_early(nr * size);
	calls++;
	return next_calloc(nr, size);
}

void *realloc(void *object, size_t size)
{
	if (!ready() || is_early(object)) {
		void *moved = malloc(size);

		return object ? memcpy(moved, object, size) : moved;
	}
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

	object = realloc(object, 5000);
	free(object);
	printf("%s %d\n", text, calls >= 3);
	free(text);
	return keeps() ? 0 : 4;
}
