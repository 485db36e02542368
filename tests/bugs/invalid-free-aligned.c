/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* free() of a place inside an object from posix_memalign(), which rounding up by hand made. */
#include <string.h>

#include "bug.h"

static bug_function char *make_aligned(void)
{
	void *object = NULL;

	return posix_memalign(&object, 32, 96) ? NULL : hidden(object);
}

static bug_function void free_rounded(void *object)
{
	free(object);
}

int main(void)
{
	char *object = make_aligned();

	/* What the C library finds there decides what it says. */
	memset(object, 0, 96);
	free_rounded(hidden(object + 32));
	free(hidden(object));
	return 7;
}
