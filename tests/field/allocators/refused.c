/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a library's allocator is written in assembler, without the sizes of its functions: it
 * field: is left alone, and its heap is said not to be seen
 * build: $CC -g -O1 -fno-builtin -shared -fPIC -DLIBRARY -o librefused.so $SRC/refused.c
 * build: $CC -g -O1 -fno-builtin -o refused $SRC/refused.c -L. -lrefused -Wl,-rpath,'$ORIGIN'
 * run: refused
 * expect: says heap of jemalloc in librefused.so is not seen
 * expect: leak keeps 300 3
 * expect: not DOUBT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *je_malloc(size_t size);
void je_free(void *object);

#ifdef LIBRARY
static _Alignas(64) char field[1 << 20];
static size_t used;

__attribute__((used, visibility("hidden"))) void *library_takes(size_t size);
void *library_takes(size_t size)
{
	void *object = field + used;

	used += (size + 15) & ~15ul;
	return used > sizeof(field) ? NULL : object;
}

void je_free(void *object)
{
	(void)object;
}

#ifdef __x86_64__
#define GO "jmp"
#else
#define GO "b"
#endif
__asm__(".text\n"
	".globl je_malloc\n"
	".type je_malloc, %function\n"
	"je_malloc: " GO " library_takes\n");
#else
static void *volatile kept;

static __attribute__((noinline)) void keeps(void)
{
	kept = malloc(100);
}

int main(void)
{
	int i;

	for (i = 0; i < 1000; i++) {
		char *object = je_malloc(100);

		memset(object, 1, 100);
		je_free(object);
	}
	for (i = 0; i < 3; i++)
		keeps();
	puts("done");
	return 0;
}
#endif
