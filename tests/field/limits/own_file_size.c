/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program that limits its own files meets the limit itself, and nobody else does
 * build: $CC -g -O0 -o own_file_size $SRC/own_file_size.c
 * expect: leak keep 20000 20
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static void *volatile kept;
static volatile sig_atomic_t signals;

static void count(int number)
{
	(void)number;
	signals++;
}

__attribute__((noinline)) static void keep(void)
{
	kept = malloc(1000);
}

int main(void)
{
	const struct rlimit small = {100, 100};
	FILE *file = fopen("own", "w");
	int i;

	signal(SIGXFSZ, count);
	setrlimit(RLIMIT_FSIZE, &small);
	for (i = 0; i < 20; i++)
		keep();
	for (i = 0; i < 30; i++)
		fputs("0123456789", file);
	printf("%d %d\n", fclose(file), (int)signals);
	return 0;
}
