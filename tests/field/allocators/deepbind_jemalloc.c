/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a plug-in that binds deeply brings jemalloc, long after the start
 * build: $CC -g -shared -fPIC -DLIBRARY -o deep.so $SRC/deepbind_jemalloc.c -l:libjemalloc.so.2
 * build: $CC -g -O1 -o deepbind_jemalloc $SRC/deepbind_jemalloc.c
 * needs: libjemalloc2
 * run: deepbind_jemalloc $BIN/deep.so
 * expect: not DOUBT
 * maps: 20
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef LIBRARY
void *take(size_t size);
void *take(size_t size)
{
	return malloc(size);
}

void give_back(void *object);
void give_back(void *object)
{
	free(object);
}
#else
int main(int argc, char **argv)
{
	void *library = dlopen(argv[argc - 1], RTLD_NOW | RTLD_DEEPBIND);
	void (*give_back)(void *);
	void *(*take)(size_t);
	int i;

	if (!library) {
		puts("not here"); /* no room for its thread-local variables */
		return 0;
	}
	*(void **)&give_back = dlsym(library, "give_back");
	*(void **)&take = dlsym(library, "take");
	for (i = 0; i < 3000; i++) {
		give_back(take(40));
		free(malloc(40));
	}
	puts("done");
	return 0;
}
#endif
