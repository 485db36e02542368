/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A freed object is read; run with guard=1, so it lay between guard pages. */
#include "bug.h"

static bug_function void release(void *object)
{
	free(object);
}

static bug_function int read_late(volatile char *object)
{
	return object[5];
}

int main(void)
{
	char *object = allocate(32);

	release(object);
	return 7 + (read_late(hidden(object)) & 0);
}
