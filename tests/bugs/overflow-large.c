/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A byte behind an object of many pages. */
#include "bug.h"

static bug_function void release(void *object)
{
	free(object);
}

int main(void)
{
	char *object = allocate(50001);

	object[50001] = 1;
	release(hidden(object));
	return 7;
}
