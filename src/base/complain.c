/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* complain.c - one line on standard error. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "clean.h"
#include "complain.h"
#include "memory.h"

/* What is complained about may have any name, and the error's text one in it. */
void complain(const char *format, ...)
{
	va_list list;
	char *text;

	va_start(list, format);
	text = memory_print_list(format, list);
	va_end(list);
	fputs("stackdepot: ", stderr);
	clean_write(stderr, text);
	fputc('\n', stderr);
	free(text);
}
