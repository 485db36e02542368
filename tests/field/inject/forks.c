/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* forks - a child that allocates, and one that executes this program again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int child(const char *program, int number)
{
	int status;
	pid_t id = fork();

	if (!id) {
		free(malloc(100));
		if (number)
			execl(program, program, "again", (char *)NULL);
		_exit(5);
	}
	waitpid(id, &status, 0);
	return status;
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		free(malloc(10));
		return 6;
	}
	free(malloc(1000));
	printf("%x\n", (unsigned int)child(argv[0], 0));
	printf("%x\n", (unsigned int)child(argv[0], 1));
	return 7;
}
