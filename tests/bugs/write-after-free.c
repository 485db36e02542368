/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A freed block is written to, and found changed when it is to be used again. */
#include "bug.h"

static bug_function void release(void *object)
{
	free(object);
}

static bug_function void write_late(char *object)
{
	object[9] = 'x';
}

int main(void)
{
	char *object = hidden(allocate(32));
	int i;

	release(object);
	write_late(hidden(object));
	for (i = 0; i < 1000; i++)
		free(allocate(32));
	return 7;
}
