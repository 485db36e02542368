/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a library has an allocator under names with a prefix, as jemalloc's are in Rust
 * build: $CC -g -O1 -fno-builtin -shared -fPIC -DNAME=je_ -o libje.so $SRC/prefixed.c
 * build: $CC -g -O1 -fno-builtin -shared -fPIC -DNAME=_rjem_ -o librjem.so $SRC/prefixed.c
 * build: $CC -g -O1 -fno-builtin -shared -fPIC -DNAME=rp -o librp.so $SRC/prefixed.c
 * build: $CC -g -O1 -fno-builtin -shared -fPIC -DNAME=dl -o libdl_.so $SRC/prefixed.c
 * build: $CC -g -O1 -fno-builtin -o prefixed $SRC/prefixed.c -L. -lje -lrjem -lrp -ldl_ -Wl,-rpath,'$ORIGIN'
 * run: prefixed
 * expect: leak keeps_je_ 500 5
 * expect: leak keeps__rjem_ 500 5
 * expect: leak keeps_rp 500 5
 * expect: leak keeps_dl 500 5
 * expect: not DOUBT
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define JOIN_(prefix, name) prefix##name
#define JOIN(prefix, name) JOIN_(prefix, name)

#ifdef NAME
/* Blocks of one size from a field of its own; enough to be one. */
#define BLOCK 512
#define BLOCKS 256

static _Alignas(64) char field[BLOCKS][BLOCK];
static unsigned char used[BLOCKS];

void *JOIN(NAME, malloc)(size_t size);
void JOIN(NAME, free)(void *pointer);
void *JOIN(NAME, calloc)(size_t nr, size_t size);
void *JOIN(NAME, realloc)(void *pointer, size_t size);
size_t JOIN(NAME, malloc_usable_size)(void *pointer);

void *JOIN(NAME, malloc)(size_t size)
{
	unsigned int i;

	for (i = 0; i < BLOCKS && size <= BLOCK; i++)
		if (!used[i]) {
			used[i] = 1;
			return field[i];
		}
	return NULL;
}

void JOIN(NAME, free)(void *pointer)
{
	uintptr_t at = (uintptr_t)pointer - (uintptr_t)field;

	if (pointer)
		used[at / BLOCK] = 0;
}

void *JOIN(NAME, calloc)(size_t nr, size_t size)
{
	void *pointer = JOIN(NAME, malloc)(nr * size);

	return pointer ? memset(pointer, 0, nr * size) : NULL;
}

void *JOIN(NAME, realloc)(void *pointer, size_t size)
{
	return pointer && size <= BLOCK ? pointer : JOIN(NAME, malloc)(size);
}

size_t JOIN(NAME, malloc_usable_size)(void *pointer)
{
	return pointer ? BLOCK : 0;
}

#else

static void *volatile kept;

#define TRY(prefix)                                                               \
	void *prefix##malloc(size_t size);                                        \
	void prefix##free(void *pointer);                                         \
	void *prefix##calloc(size_t nr, size_t size);                             \
	void *prefix##realloc(void *pointer, size_t size);                        \
	size_t prefix##malloc_usable_size(void *pointer);                         \
                                                                                  \
	static __attribute__((noinline)) void keeps_##prefix(void)                \
	{                                                                         \
		kept = prefix##malloc(100);                                       \
	}                                                                         \
                                                                                  \
	static void try_##prefix(void)                                            \
	{                                                                         \
		int i;                                                            \
                                                                                  \
		for (i = 0; i < 500; i++) {                                       \
			char *object = prefix##malloc(i % 200), *other;           \
                                                                                  \
			memset(object, 1, prefix##malloc_usable_size(object));    \
			other = prefix##calloc(3, 50);                            \
			object = prefix##realloc(object, 300);                    \
			memset(object, 2, 300);                                   \
			prefix##free(other);                                      \
			prefix##free(object);                                     \
		}                                                                 \
		for (i = 0; i < 5; i++)                                           \
			keeps_##prefix();                                         \
	}

TRY(je_)
TRY(_rjem_)
TRY(rp)
TRY(dl)

int main(void)
{
	try_je_();
	try__rjem_();
	try_rp();
	try_dl();
	puts("done");
	return 0;
}
#endif
