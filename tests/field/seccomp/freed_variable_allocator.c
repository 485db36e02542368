/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* An allocator that leaves alone what is not its. */
#include <stddef.h>
#include <string.h>

static char heap[1 << 20];
static size_t used, freed, strange;

void *malloc(size_t size)
{
	size_t at = __atomic_fetch_add(&used, (size + 15) & ~(size_t)15, __ATOMIC_RELAXED);

	return at + size > sizeof(heap) ? NULL : heap + at;
}

void free(void *pointer)
{
	if ((size_t)((char *)pointer - heap) < sizeof(heap))
		__atomic_fetch_add(&freed, 1, __ATOMIC_RELAXED);
	else
		__atomic_fetch_add(&strange, 1, __ATOMIC_RELAXED);
}

void *calloc(size_t nr, size_t size)
{
	return malloc(nr * size);
}

void *realloc(void *pointer, size_t size)
{
	char *copy = malloc(size);

	if (copy && pointer)
		memcpy(copy, pointer, size);
	return copy;
}

void *memalign(size_t align, size_t size)
{
	char *block = malloc(size + align);

	return block ? (void *)(((size_t)block + align - 1) & ~(align - 1)) : NULL;
}
