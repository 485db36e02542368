/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: strict mode: read, write, and the end of a thread
 */
#include "filter.h"

int main(void)
{
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
	if (write(1, "done\n", 5) != 5)
		syscall(SYS_exit, 2);
	syscall(SYS_exit, 7);
	return 0;
}
