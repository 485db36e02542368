/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program's malloc() is glibc's __libc_malloc(), counted, with its size in front
 * build: $CC -g -O1 -fno-builtin -o libc_wrapped $SRC/libc_wrapped.c
 * run: libc_wrapped
 * expect: leak keeps 500 5
 * expect: not DOUBT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t size);
void *__libc_realloc(void *object, size_t size);
void __libc_free(void *object);

#define MAGIC 0x1122334455667788ul

struct head {
	unsigned long magic;
	size_t size;
};

static size_t live;

static void *head_of(void *object)
{
	struct head *head = (struct head *)object - 1;

	if (head->magic != MAGIC)
		abort();
	return head;
}

static void *with_head(struct head *head, size_t size)
{
	if (!head)
		return NULL;
	head->magic = MAGIC;
	head->size = size;
	live += size;
	return head + 1;
}

void *malloc(size_t size)
{
	return with_head(__libc_malloc(size + sizeof(struct head)), size);
}

void free(void *object)
{
	struct head *head;

	if (!object)
		return;
	head = head_of(object);
	live -= head->size;
	head->magic = 0;
	__libc_free(head);
}

void *calloc(size_t nr, size_t size)
{
	void *object = malloc(nr * size);

	return object ? memset(object, 0, nr * size) : NULL;
}

void *realloc(void *object, size_t size)
{
	struct head *head;

	if (!object)
		return malloc(size);
	head = head_of(object);
	live -= head->size;
	return with_head(__libc_realloc(head, size + sizeof(*head)), size);
}

static __attribute__((noinline)) void *keeps(void)
{
	return malloc(100);
}

static size_t known(void *object)
{
	return ((struct head *)object - 1)->size; /* the program looks in front of it itself */
}

int main(void)
{
	void *objects[5];
	size_t before = live, sum = 0;
	int i;

	for (i = 0; i < 3000; i++)
		free(realloc(calloc(3, i), 50 + i));
	for (i = 0; i < 5; i++) {
		objects[i] = keeps();
		sum += known(objects[i]);
	}
	printf("%zu %zu\n", live - before, sum);
	return 0;
}
