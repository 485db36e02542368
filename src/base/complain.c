/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* complain.c - one line on standard error. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "clean.h"
#include "complain.h"
#include "memory.h"

/*
 * What is complained about may have any name, and the error's text one in it. A line of usual
 * length takes no memory, as it may tell of something that is done already.
 */
void complain(const char *format, ...)
{
	char usual[512], *text = usual;
	va_list list;

	va_start(list, format);
	if (vsnprintf(usual, sizeof(usual), format, list) >= (int)sizeof(usual)) {
		va_end(list);
		va_start(list, format);
		text = memory_print_list(format, list);
	}
	va_end(list);
	fputs("stackdepot: ", stderr);
	clean_write(stderr, text);
	fputc('\n', stderr);
	if (text != usual)
		free(text);
}
