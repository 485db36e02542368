/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: made code calls made code, and a perf map names both; one as C++ would, one with spaces
 * modes: full guard
 * expect: errors 0
 * expect: leak keeps 1000 10
 * expect: says by frame pointer
 * expect: says inner_made .jit.
 * expect: says LazyCompile:~outer made /srv/app\.js:12
 * expect: says main
 */
#include "made_code.h"

static made_function inner;
static void *volatile kept;

static void keeps(void)
{
	kept = malloc(100);
	__asm__ volatile("");
}

static void between(void)
{
	inner((void *)keeps, NULL);
	__asm__ volatile("");
}

int main(void)
{
	char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	made_function outer = make_at(memory), middle = make_at(memory + 4096);
	int i;

	inner = make_at(memory + 64);
	perf_map(memory, "LazyCompile:~outer made /srv/app.js:12");
	perf_map(memory + 64, "inner_made");
	perf_map(memory + 4096, "middle_made");
	for (i = 0; i < 10; i++)
		outer((void *)middle, (void *)between);
	kept = NULL;
	puts("done");
	return 0;
}
