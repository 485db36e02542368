/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A variable on the stack is freed. */
#include "bug.h"

static bug_function void free_variable(void *variable)
{
	free(variable);
}

int main(void)
{
	long variable[8];

	free_variable(hidden(variable));
	return 7;
}
