/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* hostile.c - leaks and errs; the test writes other bytes over its names, of the same length. */
#include <stdlib.h>
#include <string.h>

void *kept[3];

/* Lines of it are said to be in another file, whose name is written over, too. */
#line 100 "name_of_a_file_of_the_sources.c"
__attribute__((noinline)) static void *name_of_a_function_that_keeps(size_t bytes)
{
	return malloc(bytes);
}

static __attribute__((noinline)) void name_of_a_function_that_errs(void)
{
	char *volatile text = name_of_a_function_that_keeps(10);

	free(text);
	free(text);
}

int main(void)
{
	kept[0] = name_of_a_function_that_keeps(4000);
	name_of_a_function_that_errs();
	kept[1] = name_of_a_function_that_keeps(5000);
	return 0;
}
