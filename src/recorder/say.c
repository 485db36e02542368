/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* say.c - words to the user, with write(2) alone. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "recorder.h"

#define SAY_BYTES 1400u

static size_t say_append(char *line, size_t used, const char *text)
{
	size_t length = strlen(text);

	if (length > SAY_BYTES - 1 - used)
		length = SAY_BYTES - 1 - used;
	memcpy(line + used, text, length);
	return used + length;
}

void say(const char *first, ...)
{
	const int saved_errno = errno;
	char line[SAY_BYTES];
	size_t used = say_append(line, 0, "stackdepot: ");
	const char *text;
	va_list list;

	va_start(list, first);
	for (text = first; text; text = va_arg(list, const char *))
		used = say_append(line, used, text);
	va_end(list);
	line[used++] = '\n';
	/* One call, so that lines of several processes do not mix. Nobody is left to tell if it
	 * fails. */
	if (write(STDERR_FILENO, line, used) < 0)
		errno = saved_errno;
	errno = saved_errno;
}

static const char *say_digits(uint64_t number, unsigned int base, char *buffer)
{
	char *at = buffer + SAY_NUMBER_BYTES - 1;

	*at = '\0';
	do {
		*--at = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	return at;
}

const char *say_number(uint64_t number, char *buffer)
{
	return say_digits(number, 10, buffer);
}

const char *say_hex(uint64_t number, char *buffer)
{
	return say_digits(number, 16, buffer);
}
