/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A freed block is handed to realloc(). */
#include "bug.h"

static bug_function void *grow(void *object)
{
	return realloc(object, 80);
}

int main(void)
{
	void *object = hidden(allocate(40));

	free(object);
	return grow(hidden(object)) ? 1 : 7;
}
