/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a forked child makes other code where its parent had some, and calls it as the parent did
 * modes: full guard
 * expect: errors 0
 * expect: leak keeps 100 1
 * expect: says second_name
 * expect: not first_name
 */
#include <sys/wait.h>

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
	int i, status;
	pid_t id = 0;

	for (i = 0; i < 4; i++) {
		if (i == 3)
			id = fork();
		if (id)
			break;
		memory = mmap((void *)0x300000000000, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		make_at(memory);
		make_at(memory + 64);
		perf_map(memory, i < 3 ? "first_name" : "second_name");
		((made_function)(void *)memory)(memory + 64, (void *)keeps);
		if (i < 3)
			free(kept);
		munmap(memory, 4096);
	}
	kept = NULL;
	if (!id)
		return 0;
	wait(&status);
	puts("done");
	return status;
}
