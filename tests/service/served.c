/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* served.c - a service: says what it was started with when it holds memory; waits for its end. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OBJECTS 500
#define BYTES 1000

extern char **environ;

static void *volatile held[OBJECTS];

__attribute__((noinline)) static void hold(void)
{
	size_t i;

	for (i = 0; i < OBJECTS; i++)
		held[i] = memset(malloc(BYTES), 1, BYTES);
}

int main(int argc, char **argv)
{
	char **variable;

	for (variable = environ; *variable; variable++)
		puts(*variable);
	/* Who reads the line below may end us at once, and then count. */
	hold();
	printf("descriptors %d\n", open("/dev/null", O_RDONLY));
	(void)fflush(stdout);
	if (argc > 1 && !strcmp(argv[1], "once"))
		return 0;
	(void)pause();
	return 0;
}
