/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A string is one byte longer than its block: the NUL lies behind it. */
#include <string.h>

#include "bug.h"

static bug_function void copy(char *object)
{
	strcpy(object, hidden("12345678901234567890"));
}

static bug_function void release(char *object)
{
	free(object);
}

int main(void)
{
	char *object = allocate(20);

	copy(object);
	release(object);
	return 7;
}
