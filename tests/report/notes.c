/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* notes STATIC - start a program that no recorder gets into; fork where there can be no store. */
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void start(char *program)
{
	if (!fork()) {
		if (program)
			execl(program, program, (char *)NULL);
		free(malloc(100)); /* with which its own store would begin */
		_exit(program ? 127 : 0);
	}
	(void)wait(NULL);
}

int main(int argc, char **argv)
{
	const struct rlimit files = {1 << 20, 1 << 20};

	(void)argc;
	start(argv[1]);
	start(argv[1]);
	(void)setrlimit(RLIMIT_FSIZE, &files);
	start(NULL);
	start(NULL);
	return 0;
}
