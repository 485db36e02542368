/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program without unwind tables that keeps its frame pointer, as Chromium
 * build: echo -g -O1 -fno-asynchronous-unwind-tables -fno-omit-frame-pointer >flags
 * build: $CC @flags -o tableless $SRC/tableless.c
 * modes: full guard
 * expect: errors 0
 * expect: leak keeps 6000 60
 * expect: says by frame pointer
 * expect: says by_way_of
 */
#include <stdio.h>
#include <stdlib.h>

static void *volatile kept[64];

static __attribute__((noinline)) void keeps(int i)
{
	kept[i] = malloc(100);
	__asm__ volatile("");
}

static __attribute__((noinline)) void by_way_of(int depth, int i)
{
	if (depth)
		by_way_of(depth - 1, i);
	else
		keeps(i);
	__asm__ volatile("");
}

int main(void)
{
	int i;

	for (i = 0; i < 60; i++)
		by_way_of(i % 3, i);
	for (i = 0; i < 60; i++)
		kept[i] = NULL;
	puts("done");
	return 0;
}
