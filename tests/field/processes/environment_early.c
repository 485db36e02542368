/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A constructor that reads its environment, and changes it, before any code of the program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static __attribute__((constructor)) void begin(int argc, char **argv, char **environment)
{
	static char text[8192];
	int i;

	(void)argc;
	(void)argv;
	for (i = 0; environment[i]; i++)
		strcat(strcat(text, environment[i]), " ");
	(void)!write(1, text, strlen(text));
	setenv("EARLY", "1", 1);
}
