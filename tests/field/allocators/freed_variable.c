/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a variable is freed; the C library notices, says so and ends the program
 * build: $CC -g -O1 -w -o freed_variable $SRC/freed_variable.c
 * run: freed_variable
 * expect: errors invalid-free 1
 * modes: full guard
 */
#include <stdlib.h>

int main(void)
{
	long variable[8] = {0};
	void *volatile pointer = variable;

	free(pointer);
	return 0;
}
