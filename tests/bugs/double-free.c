/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A small block is freed twice; what was freed first still waits in the quarantine. */
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
	void *object = allocate(40);

	free_first(object);
	free_again(object);
	return 7;
}
