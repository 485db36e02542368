/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: mimalloc's own functions beside malloc() and free()
 * build: $CC -g -O1 -o mimalloc_own $SRC/mimalloc_own.c -lmimalloc
 * needs: libmimalloc-dev
 * run: mimalloc_own
 * expect: not DOUBT
 * expect: leak keeps_mi 700 7
 * expect: leak keeps_zeroed 1400 7
 */
#include <mimalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *volatile kept;

static __attribute__((noinline)) void keeps_mi(void)
{
	kept = mi_malloc(100);
}

/* Not malloc() by another name. */
static __attribute__((noinline)) void keeps_zeroed(void)
{
	kept = mi_zalloc(200);
}

static void mix(size_t size)
{
	mi_heap_t *heap = mi_heap_new();
	char *object = mi_malloc(size), *other;

	memset(object, 1, size);
	free(object);
	object = malloc(size);
	memset(object, 1, size);
	mi_free_size(object, size);
	object = mi_heap_malloc(heap, size);
	object = mi_heap_realloc(heap, object, size * 3);
	memset(object, 2, mi_usable_size(object));
	other = mi_strdup("some text");
	mi_free(object);
	free(other);
	object = mi_calloc_aligned(3, size, 64);
	mi_free_aligned(object, 64);
	object = mi_expand(mi_malloc(size), size);
	mi_free(object);
	mi_heap_delete(heap);
}

int main(void)
{
	int i;

	for (i = 0; i < 1500; i++) {
		mix(16 + i % 50);
		mix(2000);
	}
	for (i = 0; i < 7; i++) {
		keeps_mi();
		keeps_zeroed();
	}
	puts("done");
	return 0;
}
