/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a library in a name space of its own has another C library, whose heap is not seen
 * build: $CC -g -shared -fPIC -DLIBRARY -o name_space.so $SRC/name_space.c
 * build: $CC -g -O1 -o name_space $SRC/name_space.c
 * run: name_space $BIN/name_space.so
 * expect: says heap of glibc in libraries opened by dlmopen
 * maps: 10
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef LIBRARY
int work(int rounds);
int work(int rounds)
{
	int i;

	for (i = 0; i < rounds; i++)
		free(malloc(100));
	return malloc(1000) != NULL;
}
#else
int main(int argc, char **argv)
{
	void *library = dlmopen(LM_ID_NEWLM, argv[argc - 1], RTLD_NOW);
	int (*work)(int);

	if (!library)
		return 1;
	*(void **)&work = dlsym(library, "work");
	free(malloc(100));
	printf("%d\n", work(3000));
	return 0;
}
#endif
