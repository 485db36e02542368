/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: under a filter the stack grows deeper than it ever was, and objects come from new places
 * expect: errors 0
 */
#include "filter.h"

static void *volatile block;

static __attribute__((noinline)) int descend(volatile char *above, int depth)
{
	volatile char here[3000];

	here[0] = (char)(above[0] + 1);
	block = malloc((size_t)(100 + depth));
	free(block);
	return depth ? descend(here, depth - 1) + here[0] : 0;
}

int main(void)
{
	volatile char first = 0;

	FILTER_ALLOW(FILTER_MALLOC);
	(void)descend(&first, 1000);
	puts("done");
	fflush(stdout);
	_exit(7);
}
