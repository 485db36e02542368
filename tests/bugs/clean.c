/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Nothing wrong with it. */
#include <string.h>

#include "bug.h"

int main(void)
{
	char *object = allocate(20);

	memset(object, 1, 20);
	object = realloc(object, 2000);
	memset(object, 1, 2000);
	free(object);
	return 7;
}
