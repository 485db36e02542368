/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* many.c - thousands of stacks, each another way through a few functions; all is kept. */
#include <stdlib.h>

#define DEPTH 14u
#define WAYS 10000u

static void *kept[WAYS];

void go(unsigned int way, unsigned int number, unsigned int depth);
void left(unsigned int way, unsigned int number, unsigned int depth);
void right(unsigned int way, unsigned int number, unsigned int depth);

void left(unsigned int way, unsigned int number, unsigned int depth)
{
	go(way, number, depth);
}

void right(unsigned int way, unsigned int number, unsigned int depth)
{
	go(way, number, depth);
}

/* A bit of the way each step: all ways differ. */
void go(unsigned int way, unsigned int number, unsigned int depth)
{
	if (!depth)
		kept[number] = malloc(1 + number % 100);
	else if (way & 1)
		left(way >> 1, number, depth - 1);
	else
		right(way >> 1, number, depth - 1);
}

int main(void)
{
	unsigned int i;

	for (i = 0; i < WAYS; i++)
		go(i, i, DEPTH);
	return !kept[WAYS - 1];
}
