/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: the program allocates, a library opened with RTLD_DEEPBIND frees (PHP's extensions)
 * build: $CC -g -shared -fPIC -DLIBRARY -o deepbind.so $SRC/deepbind.c
 * build: $CC -g -O1 -o deepbind $SRC/deepbind.c
 * run: deepbind $BIN/deepbind.so
 * expect: errors 0
 * expect: leak at_load 330 3
 * expect: leak in_library 70 1
 * expect: not DOUBT
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef HOW
#define HOW (RTLD_NOW | RTLD_GLOBAL)
#endif

#ifdef LIBRARY
static void *volatile kept[4];

__attribute__((constructor, noinline)) static void at_load(void)
{
	int i;

	for (i = 0; i < 3; i++)
		kept[i] = malloc(110);
}

__attribute__((noinline)) static void in_library(void)
{
	kept[3] = malloc(70);
}

void *take(size_t size);
void *take(size_t size)
{
	if (!kept[3])
		in_library();
	return malloc(size);
}

void give_back(void *object);
void give_back(void *object)
{
	free(object);
}
#else
static char *make(size_t size)
{
	return memset(malloc(size), 'x', size);
}

int main(int argc, char **argv)
{
	void *library = dlopen(argv[argc - 1], HOW | RTLD_DEEPBIND);
	void (*give_back)(void *);
	void *(*take)(size_t);
	int i;

	if (!library)
		return 1;
	*(void **)&give_back = dlsym(library, "give_back");
	*(void **)&take = dlsym(library, "take");
	for (i = 0; i < 20000; i++)
		give_back(make(40));
	/* The place of an old object, of another size. */
	for (i = 0; i < 1000; i++)
		free(make(41 + i % 8));
	for (i = 0; i < 1000; i++)
		free(memset(take(41 + i % 8), 'y', 41 + i % 8));
	puts("done");
	return 0;
}
#endif
