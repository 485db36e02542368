/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: malloc() and free() by dlsym() of the C library itself, as foreign functions have them
 * run: dlsym_handle
 * expect: leak keeps 770 10
 * expect: not DOUBT
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *(*allocate)(size_t);
static void (*release)(void *);

static __attribute__((noinline)) void keeps(void)
{
	char *volatile object = allocate(77);

	object[0] = 1;
}

int main(void)
{
	void *library = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	int i;

	*(void **)&allocate = dlsym(library, "malloc");
	*(void **)&release = dlsym(library, "free");
	for (i = 0; i < 5000; i++) {
		release(strdup("a string of the C library"));
		free(allocate(40));
		release(allocate(3000));
		release(malloc(100));
	}
	for (i = 0; i < 10; i++)
		keeps();
	puts("done");
	return 0;
}
