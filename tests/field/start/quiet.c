/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program that allocates a little, prints, writes a file and exits with a status
 * expect: leak keep 100 1
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *kept;

__attribute__((noinline)) static void keep(void)
{
	kept = malloc(100);
	strcpy(kept, "kept");
}

int main(void)
{
	FILE *file = fopen("left-behind", "w");

	keep();
	fprintf(file, "%s\n", kept);
	fclose(file);
	printf("done\n");
	return 3;
}
