/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program's own allocator, whose functions are inlined into the program in places
 * build: $CC -g -O1 -fno-builtin -o inlined $SRC/inlined.c
 * run: inlined
 * expect: not BUG
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLASSES 64
#define GRAIN 64

static union block {
	union block *next;
	char bytes[GRAIN];
} * heads[CLASSES];
static _Alignas(16) char pool[16 << 20];
static size_t used;

/* The class is in front of it. */
static inline __attribute__((always_inline)) void *quick_take(size_t size)
{
	size_t number = (size + 16) / GRAIN;
	char *object;

	if (number < CLASSES && heads[number]) {
		object = (char *)heads[number];
		heads[number] = heads[number]->next;
		return object;
	}
	object = pool + used + 16;
	memcpy(object - 16, &number, sizeof(number));
	used += (number + 1) * GRAIN;
	return object;
}

static inline __attribute__((always_inline)) void quick_give(void *object)
{
	size_t number;

	if (!object)
		return;
	memcpy(&number, (char *)object - 16, sizeof(number));
	if (number >= CLASSES)
		return;
	((union block *)object)->next = heads[number];
	heads[number] = object;
}

void *malloc(size_t size)
{
	return quick_take(size);
}

void free(void *object)
{
	quick_give(object);
}

void *calloc(size_t nr, size_t size)
{
	return memset(quick_take(nr * size), 0, nr * size);
}

void *realloc(void *object, size_t size)
{
	void *moved = quick_take(size);

	if (object)
		memcpy(moved, object, size);
	quick_give(object);
	return moved;
}

int main(void)
{
	int i, wrong = 0;

	for (i = 0; i < 5000; i++) {
		/* seen and unseen in turn, at the same places, of other sizes */
		char *first = malloc(40), *second;

		quick_give(first);
		second = quick_take(20);
		memset(second, 7, 48);
		wrong += second[40] != 7;
		free(second);
		first = quick_take(30);
		memset(first, 5, 48);
		second = malloc(47);
		wrong += first[47] != 5;
		free(first);
		quick_give(second);
	}
	printf("%d\n", wrong);
	return 0;
}
