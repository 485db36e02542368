/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * keeps: lets the C library keep what it keeps, and leaks at places that look like it.
 *
 * usage: keeps PLUGIN
 */
#include <dlfcn.h>
#include <locale.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define keeps_function __attribute__((noinline, noipa))
#define HANDLERS 40 /* more than fit into the first block, which is static */

static void *volatile kept;

/* Runs before main(), when the loader calls it. */
static keeps_function __attribute__((constructor)) void leak_before_main(void)
{
	kept = malloc(777);
}

static keeps_function void leak_in_main(void)
{
	kept = malloc(555);
}

/* Called back by the C library. */
static keeps_function int leak_when_called(const void *left, const void *right)
{
	if (!kept)
		kept = malloc(333);
	return *(const int *)left - *(const int *)right;
}

static void at_exit(void)
{
}

int main(int argc, char **argv)
{
	int numbers[] = {2, 1}, i;
	time_t now = 0;

	if (argc != 2 || !dlopen(argv[1], RTLD_NOW))
		return 3;
	setlocale(LC_ALL, "C.UTF-8");
	printf("%s %d\n", getpwuid(0)->pw_name, localtime(&now)->tm_year);
	for (i = 0; i < HANDLERS; i++)
		atexit(at_exit);
	leak_in_main();
	kept = NULL;
	qsort(numbers, 2, sizeof(numbers[0]), leak_when_called);
	fflush(stdout);
	_exit(7); /* the C library releases a part of it in exit() */
}
