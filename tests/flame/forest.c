/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * forest.c - allocations whose tree of calls is known.
 *
 * forest TIMES        the same, keep_more() so many times
 * forest wide DEPTH   a stack for each path of DEPTH steps to the left or the right
 */
#include <stdlib.h>
#include <string.h>

#define apart __attribute__((noinline, noclone))

static void *kept[1 << 16];
static unsigned int nr_kept;

static apart void shared_leaf(size_t bytes)
{
	kept[nr_kept++] = malloc(bytes);
}

static apart void keep_small(void)
{
	int i;

	for (i = 0; i < 100; i++)
		shared_leaf(32);
}

static apart void keep_large(void)
{
	int i;

	for (i = 0; i < 3; i++)
		shared_leaf(10000);
	__asm__ volatile("");
}

static apart void keep_more(int times)
{
	while (times-- > 0)
		kept[nr_kept++] = malloc(1000);
	__asm__ volatile("");
}

static apart void churn(void)
{
	int i;

	for (i = 0; i < 1000; i++) {
		void *volatile object = malloc(50);

		free(object);
	}
}

/* Both recurse into both: what tells stacks apart is the path. */
static apart void to_the_right(unsigned int path, unsigned int depth);

static apart void to_the_left(unsigned int path, unsigned int depth)
{
	if (!depth)
		shared_leaf(16);
	else if (path & 1)
		to_the_right(path >> 1, depth - 1);
	else
		to_the_left(path >> 1, depth - 1);
	__asm__ volatile("");
}

static apart void to_the_right(unsigned int path, unsigned int depth)
{
	if (!depth)
		shared_leaf(16);
	else if (path & 1)
		to_the_right(path >> 1, depth - 1);
	else
		to_the_left(path >> 1, depth - 1);
	__asm__ volatile("");
}

static apart void hostile(void)
{
	kept[nr_kept++] = malloc(77);
	__asm__ volatile("");
}

int main(int argc, char **argv)
{
	unsigned int path, depth;

	if (argc > 2 && !strcmp(argv[1], "wide")) {
		depth = (unsigned int)atoi(argv[2]) & 15;
		for (path = 0; path < 1u << depth; path++)
			to_the_left(path, depth);
		return 0;
	}
	keep_small();
	keep_large();
	keep_more(argc > 1 ? atoi(argv[1]) : 1);
	churn();
	hostile();
	return 0;
}
