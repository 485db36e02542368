/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a child frees what its parent allocated, and has its own at these places
 * run: fork_frees
 * expect: not DOUBT
 * maps: 140
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NR 3000

static char *objects[NR];

int main(void)
{
	int i, round, status;

	for (i = 0; i < NR; i++)
		objects[i] = malloc(20 + i % 3000);
	if (!fork()) {
		for (round = 0; round < 2; round++)
			for (i = 0; i < NR; i++) {
				free(objects[i]);
				objects[i] =
					memset(malloc(20 + (i * 7) % 3000), 1, 20 + (i * 7) % 3000);
			}
		_exit(7);
	}
	wait(&status);
	printf("%d\n", WEXITSTATUS(status));
	return 0;
}
