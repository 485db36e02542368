/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: code is replaced by other code at its address: the last name is the one that holds
 * modes: full guard
 * expect: errors 0
 * expect: says second_name
 * expect: not first_name
 */
#include "made_code.h"

static void *volatile kept;

static void keeps(void)
{
	kept = malloc(100);
	__asm__ volatile("");
}

int main(void)
{
	char *memory;
	int i;

	for (i = 0; i < 4; i++) {
		memory = mmap((void *)0x300000000000, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		make_at(memory);
		make_at(memory + 64);
		perf_map(memory, i < 3 ? "first_name" : "second_name");
		((made_function)(void *)memory)(memory + 64, (void *)keeps);
		munmap(memory, 4096);
	}
	kept = NULL;
	puts("done");
	return 0;
}
