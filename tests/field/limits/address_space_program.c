/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Takes 80 MB in pieces, forks with them, and takes some more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int take(int megabytes)
{
	int i;

	for (i = 0; i < megabytes; i++) {
		char *piece = malloc(1000000);

		if (!piece)
			break;
		memset(piece, i, 1000000);
	}
	return i;
}

int main(void)
{
	int status;

	printf("%d\n", take(80));
	fflush(stdout);
	if (!fork())
		_exit(take(10));
	wait(&status);
	return WEXITSTATUS(status);
}
