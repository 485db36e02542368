/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A member of a null structure is freed: its offset is taken for a pointer. */
#include "bug.h"

static bug_function void free_member(void *object)
{
	free(object);
}

int main(void)
{
	free_member(hidden((void *)16));
	return 7;
}
