/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: code is made writable, and not executable, while it is on the stack, as V8 does to compile
 * modes: full guard
 * expect: errors 0
 * expect: leak keeps 1000 10
 * expect: says by frame pointer
 * expect: says outer_made .jit.
 */
#include "made_code.h"

static char *memory;
static void *volatile kept;

static void keeps(void)
{
	mprotect(memory, 4096, PROT_READ | PROT_WRITE);
	kept = malloc(100);
	mprotect(memory, 4096, PROT_READ | PROT_EXEC);
}

int main(void)
{
	int i;

	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	make_at(memory);
	make_at(memory + 64);
	mprotect(memory, 4096, PROT_READ | PROT_EXEC);
	perf_map(memory, "outer_made");
	perf_map(memory + 64, "inner_made");
	for (i = 0; i < 10; i++)
		((made_function)(void *)memory)(memory + 64, (void *)keeps);
	kept = NULL;
	puts("done");
	return 0;
}
