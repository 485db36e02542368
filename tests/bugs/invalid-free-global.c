/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A global variable is freed. */
#include "bug.h"

static long variable[8];

static bug_function void free_variable(void *pointer)
{
	free(pointer);
}

int main(void)
{
	free_variable(hidden(variable));
	return 7;
}
