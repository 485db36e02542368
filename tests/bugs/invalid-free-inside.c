/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A pointer into an object is freed. */
#include <string.h>

#include "bug.h"

static bug_function void free_inside(char *object)
{
	free(object + 16);
}

int main(void)
{
	char *object = allocate(100);

	/* What the C library finds there decides what it says. */
	memset(object, 0, 100);
	free_inside(object);
	free(object);
	return 7;
}
