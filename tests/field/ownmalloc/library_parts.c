/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a library wraps malloc(), calloc() and realloc(), and leaves free() to the C library
 * build: $CC -g -O1 -fno-builtin -shared -fPIC -DLIBRARY -o library.so $SRC/library_parts.c
 * build: $CC -g -O1 -fno-builtin -o library_parts $SRC/library_parts.c $BIN/library.so
 * run: library_parts
 * expect: leak keeps 500 5
 * expect: not DOUBT
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

long wrapped(void);

#ifdef LIBRARY
static long calls;

static void *next(const char *name)
{
	calls++;
	return dlsym(RTLD_NEXT, name);
}

void *malloc(size_t size)
{
	return ((void *(*)(size_t))next("malloc"))(size);
}

void *calloc(size_t nr, size_t size)
{
	static _Alignas(16) char early[4096];
	static int looking;
	void *found;

	/* dlsym() itself may ask */
	if (looking)
		return early;
	looking = 1;
	found = ((void *(*)(size_t, size_t))next("calloc"))(nr, size);
	looking = 0;
	return found;
}

void *realloc(void *object, size_t size)
{
	return ((void *(*)(void *, size_t))next("realloc"))(object, size);
}

long wrapped(void)
{
	return calls > 0;
}
#else
static __attribute__((noinline)) void *keeps(void)
{
	return malloc(100);
}

int main(void)
{
	int i, kept = 0;

	for (i = 0; i < 2000; i++) {
		void *object = i % 2 ? malloc(i) : calloc(1, i + 1);

		object = realloc(object, 2 * i + 1);
		free(object);
		if (!posix_memalign(&object, 64, 100))
			free(object);
	}
	for (i = 0; i < 5; i++)
		kept += keeps() != NULL;
	printf("%ld %d\n", wrapped(), kept);
	return 0;
}
#endif
