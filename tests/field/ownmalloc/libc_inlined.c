/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program's malloc() is glibc's __libc_malloc() with a head in front, and link-time
 * field: optimization puts it into those who call it, in places; free() into others
 * build: $CC -g -O1 -fno-builtin -o libc_inlined $SRC/libc_inlined.c
 * run: libc_inlined
 * expect: leak keeps 580 5
 * expect: says changes hands unseen
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void __libc_free(void *object);

#define INLINED inline __attribute__((always_inline))
#define MAGIC 0x1122334455667788ul
#define ROUNDS 3000

struct head {
	unsigned long magic;
	size_t size;
};

static INLINED void *take(size_t size)
{
	struct head *head = __libc_malloc(size + sizeof(*head));

	if (!head)
		return NULL;
	head->magic = MAGIC;
	head->size = size;
	return head + 1;
}

static INLINED void give(void *object)
{
	struct head *head = (struct head *)object - 1;

	if (!object)
		return;
	if (head->magic != MAGIC)
		abort();
	head->magic = 0;
	__libc_free(head);
}

void *malloc(size_t size)
{
	return take(size);
}

void free(void *object)
{
	give(object);
}

void *calloc(size_t nr, size_t size)
{
	void *object = take(nr * size);

	return object ? memset(object, 0, nr * size) : NULL;
}

void *realloc(void *object, size_t size)
{
	struct head *head = (struct head *)object - 1;
	void *moved = take(size);

	if (object && moved)
		memcpy(moved, object, size < head->size ? size : head->size);
	give(object);
	return moved;
}

static __attribute__((noinline)) void *keeps(void)
{
	return take(100);
}

/* What streams allocate is not what is tried. */
static void say(unsigned int number)
{
	char text[12] = "0000000000\n";
	int at;

	for (at = 9; number; number /= 10)
		text[at--] = (char)('0' + number % 10);
	if (write(1, text, 11) != 11)
		_exit(1);
}

int main(void)
{
	unsigned int i, sum = 0;
	char *object;

	for (i = 0; i < ROUNDS; i++) {
		object = take(i % 500); /* and by the other way */
		memset(object, 1, i % 500);
		free(object);
		object = malloc(i % 700);
		memset(object, 2, i % 700);
		give(object);
		object = take(i % 300);
		object = realloc(object, i % 600 + 1);
		give(object);
		object = take(40);
		sum += ((struct head *)object - 1)->size == 40;
		give(object);
	}
	for (i = 0; i < 5; i++)
		sum += keeps() != NULL;
	say(sum);
	return 0;
}
