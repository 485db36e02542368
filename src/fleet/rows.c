/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* rows.c - columns, escapes, arrays. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rows.h"

#define EXACT_LIMIT 9007199254740992.0 /* 2^53 */

void rows_free(struct rows *rows)
{
	free(rows->text);
	*rows = (struct rows){0};
}

void rows_clear(struct rows *rows)
{
	rows->length = 0;
	rows->follows = false;
	if (rows->text)
		rows->text[0] = '\0';
}

void rows_add(struct rows *rows, const char *text, size_t length)
{
	if (rows->length + length >= rows->room) {
		rows->room = (rows->length + length + 64) * 2;
		rows->text = memory_realloc(rows->text, rows->room);
	}
	memcpy(rows->text + rows->length, text, length);
	rows->length += length;
	rows->text[rows->length] = '\0';
}

void rows_move(struct rows *rows, struct rows *from)
{
	if (rows->length) {
		rows_add(rows, rows_text(from), from->length);
		rows_free(from);
		return;
	}
	rows_free(rows);
	*rows = *from;
	*from = (struct rows){0};
}

const char *rows_text(const struct rows *rows)
{
	return rows->text ? rows->text : "";
}

void rows_print(struct rows *rows, const char *format, ...)
{
	va_list list;
	char *text;

	va_start(list, format);
	text = memory_print_list(format, list);
	va_end(list);
	rows_add(rows, text, strlen(text));
	free(text);
}

/* Between two columns, or two members of an array. */
static void rows_separate(struct rows *rows, char separator)
{
	if (rows->follows)
		rows_add(rows, &separator, 1);
	rows->follows = true;
}

/* Escaped as both a column and a quoted text are; QUOTE is what may not stand there bare. */
static void rows_escape(struct rows *rows, const char *text, const char *quote)
{
	static const char plain[] = "\b\f\n\r\t\\", escaped[] = "bfnrt\\";

	while (*text) {
		const char *found = strchr(plain, *text);
		char pair[2] = {'\\', *text};

		if (found)
			pair[1] = escaped[found - plain];
		if (found || strchr(quote, *text))
			rows_add(rows, pair, 2);
		else
			rows_add(rows, text, 1);
		text++;
	}
}

void rows_column(struct rows *rows, const char *text)
{
	rows_separate(rows, '\t');
	rows_escape(rows, text, "");
}

void rows_integer(struct rows *rows, uint64_t value)
{
	rows_separate(rows, '\t');
	rows_print(rows, "%" PRIu64, value);
}

void rows_time(struct rows *rows, uint64_t seconds)
{
	/* fewer digits would be a year, and more are beyond the column */
	const uint64_t least = 10000, most = UINT32_MAX;

	rows_integer(rows, seconds < least ? least : seconds > most ? most : seconds);
}

void rows_number(struct rows *rows, double value)
{
	rows_separate(rows, '\t');
	if (value == floor(value) && fabs(value) < EXACT_LIMIT)
		rows_print(rows, "%" PRId64, (int64_t)value);
	else
		rows_print(rows, "%.17g", value);
}

void rows_id(struct rows *rows, struct fleet_id id)
{
	char text[FLEET_ID_TEXT];

	fleet_id_print(id, text);
	rows_column(rows, text);
}

void rows_list(struct rows *rows, char bracket)
{
	if (bracket == '[')
		rows_separate(rows, '\t');
	rows_add(rows, &bracket, 1);
	rows->follows = bracket != '[';
}

void rows_quote(struct rows *rows, const char *text)
{
	rows_add(rows, "'", 1);
	rows_escape(rows, text, "'");
	rows_add(rows, "'", 1);
}

void rows_item(struct rows *rows, const char *text)
{
	rows_separate(rows, ',');
	rows_quote(rows, text);
}

void rows_item_integer(struct rows *rows, uint64_t value)
{
	rows_separate(rows, ',');
	rows_print(rows, "%" PRIu64, value);
}

void rows_end(struct rows *rows)
{
	rows_add(rows, "\n", 1);
	rows->follows = false;
}

/* --- taken apart ------------------------------------------------------------------------------ */

static char rows_plain(char escaped)
{
	switch (escaped) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case '0':
		return '?'; /* no text of ours has a NUL */
	default:
		return escaped;
	}
}

char *rows_next(char **at)
{
	char *column = *at, *to = column, *from = column;

	if (!column)
		return NULL;
	for (; *from && *from != '\t' && *from != '\n'; from++) {
		if (*from == '\\' && from[1])
			*to++ = rows_plain(*++from);
		else
			*to++ = *from;
	}
	*at = *from == '\t' ? from + 1 : NULL;
	*to = '\0';
	return column;
}

const char *rows_at(const char *row, unsigned int column)
{
	while (column--) {
		row += strcspn(row, "\t\n");
		row += *row == '\t';
	}
	return row;
}
