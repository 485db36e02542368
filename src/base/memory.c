/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* memory.c - allocation that does not fail. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "status.h"

static int memory_status;
static void (*memory_before)(void);
static void (*memory_end)(void);

void memory_end_by(void (*before)(void), void (*end)(void))
{
	memory_before = before;
	memory_end = end;
}

void memory_begin(int status)
{
	memory_status = status;
}

bool memory_has_begun(void)
{
	return memory_status;
}

/* What is called on the way out may run out of memory again: then there is no way but _exit(). */
void memory_out(void)
{
	static const char line[] = "stackdepot: out of memory\n";
	static bool again;

	if (again)
		_exit(memory_status ? memory_status : STATUS_FAILED);
	again = true;
	if (memory_before)
		memory_before();
	(void)!write(STDERR_FILENO, line, sizeof(line) - 1);
	if (memory_end)
		memory_end();
	exit(memory_status ? memory_status : STATUS_FAILED);
}

static void *memory_checked(void *memory)
{
	if (!memory)
		memory_out();
	return memory;
}

void *memory_alloc(size_t bytes)
{
	return memory_checked(calloc(1, bytes ? bytes : 1));
}

void *memory_realloc(void *memory, size_t bytes)
{
	return memory_checked(realloc(memory, bytes ? bytes : 1));
}

void *memory_room(void *list, size_t nr, size_t *room, size_t bytes)
{
	if (nr < *room)
		return list;
	*room = nr + *room / 2 + 64;
	return memory_realloc(list, *room * bytes);
}

char *memory_strdup(const char *text)
{
	return strcpy(memory_alloc(strlen(text) + 1), text);
}

char *memory_print_list(const char *format, va_list list)
{
	char *text;

	return memory_checked(vasprintf(&text, format, list) < 0 ? NULL : text);
}

char *memory_print(const char *format, ...)
{
	va_list list;
	char *text;

	va_start(list, format);
	text = memory_print_list(format, list);
	va_end(list);
	return text;
}
