/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A name with as many letters as there is room: the byte that ends it is one too many. */
#include <string.h>

#include "bug.h"

static bug_function void release(void *object)
{
	free(object);
}

int main(void)
{
	char *name = allocate(8);

	strcpy(name, hidden("eight..x"));
	/* A zero is seen as well as any other byte. */
	release(hidden(name));
	return 7;
}
