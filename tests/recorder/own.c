/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* own: contains a malloc() of its own. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static char pool[1 << 20];
static size_t used;

void *malloc(size_t size)
{
	void *object = pool + used;

	used += (size + 31) & ~(size_t)15;
	return object;
}

void free(void *object)
{
	(void)object;
}

void *calloc(size_t nr, size_t size)
{
	return malloc(nr * size);
}

void *realloc(void *object, size_t size)
{
	void *moved = malloc(size);

	return object ? memcpy(moved, object, size) : moved;
}

int main(void)
{
	return (char *)malloc(10) >= pool ? 4 : 5;
}
