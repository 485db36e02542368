/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a free that looks wrong, and that the allocator takes: no error, but something to look at
 * run: forged
 * modes: full
 * expect: errors 0
 * expect: says DOUBT: invalid-free
 * expect: says 1 doubt, seen 1 time; not counted as errors
 */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	volatile long *volatile object = malloc(100);

	/* A chunk of 32 bytes inside of the object, as glibc keeps them. */
	object[1] = 0x21;
	free((void *)(object + 2));
	puts("done");
	return 0;
}
