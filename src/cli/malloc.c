/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * malloc.c - an allocation that fails, in whatever library, ends the tool with one line.
 *
 * What the tool allocates itself goes through memory.c. The libraries below do not: libdw ends the
 * process with a line and a status of its own, ncurses a line, elfutils a name, and a
 * report without them would be wrong and look right. They cannot all be asked afterwards whether
 * memory was short, but all of them call malloc(), and take the one of the program.
 *
 * Large requests are let fail. Their sizes are read from files, which can be damaged; the libraries
 * check those, and then a name is missing and not a report.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"

#define LARGE_BYTES (64u << 20)

/* The next one behind the program: that of the C library, or of a library that was preloaded. */
static void *next(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (!function)
		memory_out();
	return function;
}

static void *checked(void *memory, size_t bytes)
{
	if (!memory && bytes && bytes < LARGE_BYTES && memory_has_begun())
		memory_out();
	return memory;
}

void *malloc(size_t bytes)
{
	static void *(*function)(size_t bytes);

	if (!function)
		function = (void *(*)(size_t))next("malloc");
	return checked(function(bytes), bytes);
}

void *calloc(size_t nr, size_t bytes)
{
	static void *(*function)(size_t nr, size_t bytes);
	size_t all;

	if (!function)
		function = (void *(*)(size_t, size_t))next("calloc");
	if (__builtin_mul_overflow(nr, bytes, &all))
		all = SIZE_MAX;
	return checked(function(nr, bytes), all);
}

void *realloc(void *memory, size_t bytes)
{
	static void *(*function)(void *memory, size_t bytes);

	if (!function)
		function = (void *(*)(void *, size_t))next("realloc");
	return checked(function(memory, bytes), bytes);
}
