/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A freed object is written to; run with guard=1. */
#include "bug.h"

static bug_function void release(void *object)
{
	free(object);
}

static bug_function void write_late(volatile int *object)
{
	object[2] = 1;
}

int main(void)
{
	int *object = allocate(12 * sizeof(*object));

	release(object);
	write_late(hidden(object));
	return 7;
}
