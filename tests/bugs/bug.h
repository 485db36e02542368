/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* bug.h - functions that stay functions, and pointers the compiler knows nothing of. */
#ifndef BUG_H
#define BUG_H

#include <stdlib.h>

/* Not inlined, and no tail call at its end: its frame is in the stack. */
#define bug_function __attribute__((noinline, noipa, optimize("no-optimize-sibling-calls")))

static inline void *hidden(const void *pointer)
{
	void *same = (void *)(size_t)pointer;

	__asm__ volatile("" : "+r"(same));
	return same;
}

static __attribute__((noinline, noipa, unused)) void *allocate(size_t size)
{
	return hidden(malloc(size));
}

#endif
