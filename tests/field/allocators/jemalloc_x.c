/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: memory of mallocx() is given to free(), that of malloc() to dallocx() and sdallocx()
 * build: $CC -g -O1 -o jemalloc_x $SRC/jemalloc_x.c -ljemalloc
 * needs: libjemalloc-dev
 * run: jemalloc_x
 * expect: not DOUBT
 * expect: leak keeps_x 5000 5
 */
#include <jemalloc/jemalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *volatile kept;

static __attribute__((noinline)) void keeps_x(void)
{
	kept = mallocx(1000, MALLOCX_ALIGN(64));
}

static void mix(size_t size)
{
	char *first = malloc(size), *second;

	memset(first, 1, size);
	free(first);
	second = mallocx(size, 0); /* takes its place */
	memset(second, 1, size);
	free(second);
	first = malloc(size);
	memset(first, 1, size);
	sdallocx(first, size, 0);
	first = malloc(size + 5);
	memset(first, 2, size + 5);
	dallocx(first, 0);
	second = mallocx(size, MALLOCX_ZERO);
	second = rallocx(second, size * 2, 0);
	memset(second, 3, size * 2);
	second = realloc(second, size);
	sdallocx(second, size, 0);
}

/* All that there is of an object is the program's to write to, once it has asked how much that is.
 */
static void fill_whole(void)
{
	size_t size = nallocx(500, 0);
	char *object = mallocx(500, 0);

	memset(object, 4, size);
	size = xallocx(object, 600, 100, 0);
	memset(object, 5, size);
	free(object);
	object = malloc(37);
	memset(object, 6, sallocx(object, 0));
	free(object);
}

int main(void)
{
	size_t live, bytes = sizeof(live), epoch_bytes;
	unsigned long epoch = 1;
	int i;

	for (i = 0; i < 3000; i++) {
		mix(2000); /* above what is kept back */
		mix(500);
		mix(16);
		fill_whole();
	}
	for (i = 0; i < 5; i++)
		keeps_x();
	epoch_bytes = sizeof(epoch);
	mallctl("epoch", &epoch, &epoch_bytes, &epoch, epoch_bytes);
	mallctl("stats.allocated", &live, &bytes, NULL, 0);
	printf("little is live: %d\n", live < 3000000);
	return 0;
}
