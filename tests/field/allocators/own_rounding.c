/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program with its own malloc() uses the room to which that rounds up (Firefox)
 * expect: errors 0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Blocks of one size class each, rounded up to 16 bytes, as mozjemalloc's are. */
#define QUANTUM 16
#define CLASSES 256

struct block {
	struct block *next;
	size_t size;
};

static _Alignas(QUANTUM) char heap[32 << 20];
static size_t used;
static struct block *released[CLASSES];

static size_t rounded(size_t size)
{
	return (size + QUANTUM - 1) / QUANTUM * QUANTUM + (size ? 0 : QUANTUM);
}

void *malloc(size_t size)
{
	size_t whole = rounded(size), class = whole / QUANTUM;
	struct block *block = class < CLASSES ? released[class] : NULL;

	if (block) {
		released[class] = block->next;
		return block + 1;
	}
	if (used + sizeof(*block) + whole > sizeof(heap))
		return NULL;
	block = (struct block *)(heap + used);
	used += sizeof(*block) + whole;
	block->size = whole;
	return block + 1;
}

void free(void *object)
{
	struct block *block = (struct block *)object - 1;

	if (!object || block->size / QUANTUM >= CLASSES)
		return;
	block->next = released[block->size / QUANTUM];
	released[block->size / QUANTUM] = block;
}

void *calloc(size_t count, size_t size)
{
	void *object = malloc(count * size);

	return object ? memset(object, 0, count * size) : NULL;
}

void *realloc(void *object, size_t size)
{
	void *moved = malloc(size);

	if (object && moved) {
		size_t old = ((struct block *)object - 1)->size;

		memcpy(moved, object, old < size ? old : size);
		free(object);
	}
	return moved;
}

int main(void)
{
	size_t sum = 0;

	for (size_t size = 1; size < 3000; size++) {
		unsigned char *message = malloc(size);

		/* The program knows its allocator: up to the next multiple of 16 all is its own. */
		memset(message, 0xbf, rounded(size));
		sum += message[size - 1];
		free(message);
	}
	printf("%zu\n", sum);
	return 0;
}
