/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Too much is written into an object that lies where another one was freed. */
#include <string.h>

#include "bug.h"

static bug_function void release(void *object)
{
	free(object);
}

int main(void)
{
	void *before = allocate(2000), *after;

	release(before);
	after = allocate(2000);
	if (after != before)
		return 1;
	memset(hidden(after), 'x', 2001);
	release(after);
	return 7;
}
