/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* complain.c - one line on standard error. */
#include <stdarg.h>
#include <stdio.h>

#include "complain.h"

void complain(const char *format, ...)
{
	va_list list;

	fputs("stackdepot: ", stderr);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fputc('\n', stderr);
}
