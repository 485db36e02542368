/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * heap.c - preloaded: at its end a program says how large the C library's heap became.
 *
 * With MALLOC_TRIM_THRESHOLD_ so large that no memory is given back, that is its highest point.
 */
#include <malloc.h>
#include <stdio.h>

__attribute__((destructor)) static void heap_say(void)
{
	const struct mallinfo2 heap = mallinfo2();

	fprintf(stderr, "heap %zu\n", heap.arena + heap.hblkhd);
}
