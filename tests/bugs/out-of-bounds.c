/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The byte behind an object is written to; run with guard=1. */
#include "bug.h"

static bug_function void write_beyond(volatile char *object)
{
	int i;

	/* Objects lie at the end of their page, or at its start. */
	for (i = -1; i <= 64; i += 65)
		object[i] = 1;
}

int main(void)
{
	char *object = allocate(64);

	write_beyond(hidden(object));
	free(object);
	return 7;
}
