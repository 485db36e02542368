/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: glibc's other names of malloc() and free(), mixed with the usual ones
 * run: libc_names
 * expect: not DOUBT
 * expect: leak keeps 400 4
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t nr, size_t size);
void *__libc_realloc(void *object, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *object);

static void *volatile kept;

static __attribute__((noinline)) void keeps(void)
{
	kept = __libc_malloc(100);
}

int main(void)
{
	int i;

	for (i = 0; i < 3000; i++) {
		char *object = __libc_malloc(60);

		memset(object, 1, 60);
		free(object);
		__libc_free(strdup("text"));
		object = __libc_realloc(malloc(33), 3000);
		memset(object, 1, 3000);
		__libc_free(object);
		free(__libc_memalign(64, 100));
		free(__libc_calloc(3, 50));
	}
	for (i = 0; i < 4; i++)
		keeps();
	puts("done");
	return 0;
}
