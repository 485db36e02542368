/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * many.c - 4,096 stacks, each of an object; all of them are there once, and then none.
 */
#include <stdlib.h>

#define NOINLINE __attribute__((noinline))
#define DEPTH 12

static void *object[1 << DEPTH];

/* Each does another thing after its call, or the compiler makes one of them. */
static volatile unsigned int after;

static NOINLINE void left(unsigned int depth, unsigned int path);
static NOINLINE void right(unsigned int depth, unsigned int path);

static void step(unsigned int depth, unsigned int path)
{
	if (depth == DEPTH)
		object[path] = malloc(100);
	else if (path >> depth & 1)
		right(depth + 1, path);
	else
		left(depth + 1, path);
}

static void left(unsigned int depth, unsigned int path)
{
	step(depth, path);
	after += 1;
}

static void right(unsigned int depth, unsigned int path)
{
	step(depth, path);
	after += 2;
}

int main(void)
{
	unsigned int i;

	for (i = 0; i < 1 << DEPTH; i++)
		left(0, i);
	for (i = 0; i < 1 << DEPTH; i++)
		free(object[i]);
	return 0;
}
