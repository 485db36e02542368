/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* One element too many of an array from new[]. */
#include "bug.h"

static __attribute__((noinline, noipa)) char *make_array()
{
	return static_cast<char *>(hidden(new char[10]));
}

static __attribute__((noinline, noipa)) void release(char *array)
{
	delete[] array;
	__asm__ volatile("");
}

int main()
{
	char *array = make_array();

	array[10] = 1;
	release(array);
	return 7;
}
