/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A byte behind an object from aligned_alloc(). */
#include "bug.h"

static bug_function char *make_aligned(void)
{
	return hidden(aligned_alloc(64, 128));
}

static bug_function void release(void *object)
{
	free(object);
}

int main(void)
{
	char *object = make_aligned();

	if ((size_t)object % 64)
		return 1;
	object[128] = 1;
	release(hidden(object));
	return 7;
}
