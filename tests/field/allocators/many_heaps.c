/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: plug-ins, each with an allocator of its own inside: more than can be seen, or named
 * build: $CC -g -O1 -fno-builtin -fPIC -DLIBRARY -c -o heap.o $SRC/many_heaps.c
 * build: for i in $(seq 10 33); do $CC -shared -o libheap_$i.so heap.o; done
 * build: $CC -g -O1 -fno-builtin -o many_heaps $SRC/many_heaps.c -L. -Wl,--no-as-needed $(seq -f -lheap_%.0f 10 33) -Wl,-rpath,'$ORIGIN'
 * run: many_heaps
 * expect: says heap of jemalloc in libheap_14.so is not seen
 * expect: says heap of jemalloc in libheap_29.so is not seen
 * expect: says no room for the names of more heaps that are not seen
 * expect: leak keeps 300 3
 * expect: not DOUBT
 * expect: not heap of glibc
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST 10
#define LAST 33

#ifdef LIBRARY
static _Alignas(64) char field[1 << 18];
static size_t used;

void *je_malloc(size_t size);
void *je_malloc(size_t size)
{
	void *object = field + used;

	used += (size + 15) & ~15ul;
	return used > sizeof(field) ? NULL : object;
}

void je_free(void *object);
void je_free(void *object)
{
	(void)object;
}
#else
static void *volatile kept;

static __attribute__((noinline)) void keeps(void)
{
	kept = malloc(100);
}

static int uses(int number)
{
	void *(*take)(size_t);
	void (*give)(void *);
	char name[32], *object;
	void *library;

	snprintf(name, sizeof(name), "libheap_%d.so", number);
	library = dlopen(name, RTLD_NOW | RTLD_NOLOAD);
	if (!library)
		return 0;
	*(void **)&take = dlsym(library, "je_malloc");
	*(void **)&give = dlsym(library, "je_free");
	object = take(100);
	memset(object, 1, 100);
	give(object);
	dlclose(library);
	return 1;
}

int main(void)
{
	int i, used = 0;

	for (i = FIRST; i <= LAST; i++)
		used += uses(i);
	for (i = 0; i < 3; i++)
		keeps();
	printf("%d\n", used);
	return 0;
}
#endif
