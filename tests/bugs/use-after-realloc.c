/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The pointer from before realloc() is read; run with guard=1. */
#include "bug.h"

static bug_function void *grow(void *object)
{
	return hidden(realloc(object, 3000));
}

static bug_function int read_old(volatile char *object)
{
	return object[3];
}

int main(void)
{
	char *object = allocate(20);

	free(grow(hidden(object)));
	return 7 + (read_old(hidden(object)) & 0);
}
