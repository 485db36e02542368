/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A block too large for the quarantine is freed twice; only the ring knows of it. */
#include "bug.h"

static bug_function void free_first(void *object)
{
	free(object);
}

static bug_function void free_again(void *object)
{
	free(object);
}

int main(void)
{
	void *object = allocate(5000);

	free_first(object);
	free_again(object);
	return 7;
}
