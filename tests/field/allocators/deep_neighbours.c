/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program with jemalloc, and a plug-in that binds deeply to the C library's malloc(), for
 * field: small blocks that lie beside each other, of which some are recorded
 * build: $CC -g -shared -fPIC -DLIBRARY -o neighbours.so $SRC/deep_neighbours.c
 * build: $CC -g -O1 -o deep_neighbours $SRC/deep_neighbours.c -l:libjemalloc.so.2
 * needs: libjemalloc2
 * run: deep_neighbours $BIN/neighbours.so
 * expect: not changes hands
 * expect: not DOUBT
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef LIBRARY
#define KEPT 4096

void work(int nr);
void work(int nr)
{
	static void *kept[KEPT];
	int i, k;

	for (i = 0; i < nr; i++) {
		k = i * 7919 % KEPT;
		free(kept[k]);
		kept[k] = malloc(24);
		memset(kept[k], 1, 24);
	}
	for (k = 0; k < KEPT; k++)
		free(kept[k]);
}
#else
int main(int argc, char **argv)
{
	void *library = dlopen(argv[argc - 1], RTLD_NOW | RTLD_DEEPBIND);
	void (*work)(int);

	if (!library)
		return 1;
	free(malloc(10));
	*(void **)&work = dlsym(library, "work");
	work(100000);
	puts("done");
	return 0;
}
#endif
