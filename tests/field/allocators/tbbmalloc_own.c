/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: tbbmalloc's own functions, with the C library's malloc() beside
 * build: $CC -g -O1 -o tbbmalloc_own $SRC/tbbmalloc_own.c -ltbbmalloc
 * needs: libtbb-dev
 * run: tbbmalloc_own
 * expect: not DOUBT
 * expect: leak keeps_scalable 700 7
 * expect: leak keeps_plain 600 3
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tbb/scalable_allocator.h>

static void *volatile kept;

static __attribute__((noinline)) void keeps_scalable(void)
{
	kept = scalable_malloc(100);
}

static __attribute__((noinline)) void keeps_plain(void)
{
	kept = malloc(200);
}

static void mix(size_t size)
{
	char *object = scalable_malloc(size);
	void *aligned;

	memset(object, 1, scalable_msize(object));
	object = scalable_realloc(object, 3 * size);
	memset(object, 2, 3 * size);
	scalable_free(object);
	object = scalable_calloc(7, size);
	scalable_free(object);
	object = scalable_aligned_malloc(size, 256);
	object = scalable_aligned_realloc(object, 2 * size, 256);
	scalable_aligned_free(object);
	if (!scalable_posix_memalign(&aligned, 64, size))
		scalable_free(aligned);
}

int main(void)
{
	int i;

	for (i = 0; i < 1500; i++) {
		mix(16 + i % 50);
		mix(20000);
	}
	for (i = 0; i < 7; i++)
		keeps_scalable();
	for (i = 0; i < 3; i++)
		keeps_plain();
	puts("done");
	return 0;
}
