/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* An array from calloc() is one element short. */
#include "bug.h"

static bug_function char *make_array(void)
{
	return hidden(calloc(3, 5));
}

static bug_function void release(void *object)
{
	free(object);
}

int main(void)
{
	char *array = make_array();

	array[15] = 1;
	release(hidden(array));
	return 7;
}
