/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: strict mode: read, write, and the end of a thread
 */
#include "filter.h"

/* The stack gets deeper, which is nobody's call. */
static __attribute__((noinline)) int descend(volatile char *above, int depth)
{
	volatile char here[3000];

	here[0] = (char)(above[0] + 1);
	free(malloc(200));
	return depth ? descend(here, depth - 1) + here[0] : 0;
}

int main(void)
{
	volatile char first = 0;
	void *volatile blocks[100];
	int i;

	for (i = 0; i < 100; i++)
		blocks[i] = malloc(200);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		return 1;
	for (i = 0; i < 100; i++)
		free(blocks[i]);
	for (i = 0; i < 100; i++)
		blocks[i] = malloc(200);
	free(blocks[0]);
	(void)descend(&first, 100);
	if (write(1, "done\n", 5) != 5)
		syscall(SYS_exit, 2);
	syscall(SYS_exit, 7);
	return 0;
}
