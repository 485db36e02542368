/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* notes STATIC - start a program that no recorder gets into, and one that has no room for one. */
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void start(const char *program)
{
	if (!fork()) {
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	(void)wait(NULL);
}

int main(int argc, char **argv)
{
	const struct rlimit memory = {256 << 20, 256 << 20};

	if (argc < 2)
		return 0;
	start(argv[1]);
	start(argv[1]);
	(void)setrlimit(RLIMIT_AS, &memory);
	start(argv[0]);
	start(argv[0]);
	return 0;
}
