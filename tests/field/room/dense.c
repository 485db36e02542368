/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: an allocator packs 512 objects into a page, more than a page of the table has room for
 * build: $CC -g -O1 -o dense $SRC/dense.c -ljemalloc
 * needs: libjemalloc-dev
 * run: dense 300000 8
 * modes: full
 * expect: live-objects 300003
 * expect: not found no room
 */
#include <stdio.h>
#include <stdlib.h>

static void **kept;

static __attribute__((noinline)) void *keep(size_t size)
{
	return malloc(size);
}

int main(int argc, char **argv)
{
	long i, nr = argc > 1 ? atol(argv[1]) : 1000;
	size_t size = argc > 2 ? strtoul(argv[2], NULL, 0) : 8;

	kept = malloc((size_t)nr * sizeof(*kept));
	for (i = 0; i < nr; i++)
		kept[i] = keep(size);
	/* As many come and go, at the places where the others lie close. */
	for (i = 0; i < nr; i += 3) {
		free(kept[i]);
		kept[i] = keep(size);
	}
	printf("%ld\n", nr);
	fflush(stdout);
	_Exit(!kept[nr - 1]);
}
