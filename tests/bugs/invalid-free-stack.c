/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A variable on the stack is freed. */
#include "bug.h"

static bug_function void free_variable(void *variable)
{
	free(variable);
}

int main(void)
{
	long variable[8] = {0};

	/* In front of it the C library finds no size, whatever was on the stack. */
	free_variable(hidden(variable + 2));
	return 7;
}
