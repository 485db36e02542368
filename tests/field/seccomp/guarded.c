/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: under a filter bytes behind objects and of freed ones are read, as natively
 * modes: full guard
 */
#include "filter.h"

#define OBJECTS 4000

int main(void)
{
	char *volatile blocks[OBJECTS];
	volatile char byte;
	int i;

	for (i = 0; i < OBJECTS; i++)
		blocks[i] = malloc(32);
	for (i = 0; i < OBJECTS; i += 2)
		free(blocks[i]);
	FILTER_ALLOW(FILTER_MALLOC);
	for (i = 0; i < OBJECTS; i++)
		byte = blocks[i][i % 40];
	(void)byte;
	puts("done");
	fflush(stdout);
	_exit(7);
}
