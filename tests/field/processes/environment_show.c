/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Shows its environment; other situations start it. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv, char **environment)
{
	int i;

	free(malloc(10));
	printf("%s %d:", argv[0], argc);
	for (i = 0; environment[i]; i++)
		printf(" %s", environment[i]);
	printf("\n");
	return 0;
}
