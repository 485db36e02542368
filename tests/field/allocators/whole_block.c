/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program writes to all that malloc_usable_size() says there is, and resizes to nothing
 * run: whole_block
 * expect: not DOUBT
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
	int i, wrong = 0;

	for (i = 0; i < 5000; i++) {
		char *object = malloc(i);
		size_t size = malloc_usable_size(object);

		wrong += size < (size_t)i;
		memset(object, 1, size);
		object = realloc(object, i / 2 + 1);
		size = malloc_usable_size(object);
		memset(object, 2, size);
		object = realloc(object, 0); /* freed */
		wrong += object != NULL;
	}
	printf("%d\n", wrong);
	return 0;
}
