/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* An object that grew was written to as if it had grown more; it is found when it grows again. */
#include "bug.h"

static bug_function char *grow_first(char *object)
{
	return hidden(realloc(object, 30));
}

static bug_function char *grow_again(char *object)
{
	return hidden(realloc(object, 300));
}

int main(void)
{
	char *object = grow_first(allocate(10));

	object[30] = 1;
	free(grow_again(object));
	return 7;
}
