/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * fail.c - preloaded into the tool: allocation number FAIL_AT fails, once.
 *
 * Counted are malloc(), calloc() and realloc() of the tool alone, not of what it starts. How many
 * there were is written to the file FAIL_COUNT at the end.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long nr, fail_at;
static bool counting;

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("FAIL_AT");

	counting = !strcmp(program_invocation_short_name, "stackdepot");
	fail_at = at ? strtoul(at, NULL, 10) : 0;
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("FAIL_COUNT");
	unsigned long all = nr;
	FILE *file;

	counting = false;
	file = path && !strcmp(program_invocation_short_name, "stackdepot") ? fopen(path, "w")
									    : NULL;
	if (!file)
		return;
	fprintf(file, "%lu\n", all);
	fclose(file);
}

static bool fails(void)
{
	if (!counting || ++nr != fail_at)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t bytes)
{
	static void *(*next)(size_t);

	if (!next)
		next = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
	return fails() ? NULL : next(bytes);
}

void *calloc(size_t members, size_t bytes)
{
	static void *(*next)(size_t, size_t);

	if (!next)
		next = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
	return fails() ? NULL : next(members, bytes);
}

void *realloc(void *memory, size_t bytes)
{
	static void *(*next)(void *, size_t);

	if (!next)
		next = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
	return fails() ? NULL : next(memory, bytes);
}
