/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a function of an assembler's unit between those of a compiler
 * build: test "$(uname -m)" = x86_64
 * build: $CC -g -O1 -o assembler $SRC/assembler.c $SRC/assembled.s
 * modes: full
 * expect: errors 0
 * expect: says ^    in_assembler  .*assembled\.s:10$
 * expect: says ^    main  .*assembler\.c:18$
 */
#include <stdio.h>

void *in_assembler(void);
void *kept;

int main(void)
{
	kept = in_assembler();
	puts(kept ? "yes" : "no");
	return 0;
}
