/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: the part of a function that is rarely run lies elsewhere: .text.unlikely, DW_AT_ranges
 * build: $CC -g -O2 -o cold $SRC/cold.c
 * modes: full
 * expect: errors 0
 * expect: says ^    seldom  .*cold\.c:16$
 * expect: says ^    often  .*cold\.c:24$
 */
#include <stdio.h>
#include <stdlib.h>

void *kept;
__attribute__((noinline, cold)) static void seldom(void)
{
	kept = malloc(1234);
}

__attribute__((noinline)) int often(int number)
{
	int sum = number;

	if (number == 2) {
		seldom();
		puts("seldom");
	}
	for (int i = 0; i < number; i++)
		sum += i * sum;
	return sum;
}

int main(int argc, char **argv)
{
	(void)argv;
	return often(argc + 1) == 0;
}
