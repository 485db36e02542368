/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* writer.c - the grammar of JSON: commas, quotes, escapes. */
#define _GNU_SOURCE
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "writer.h"

#define LEVELS_ON_LINES 3u /* of a file that is exported */
#define DIGITS 24u	   /* of a number of 64 bits, and its sign */
#define EXACT_LIMIT 1e15   /* whole numbers below it have at most the 15 digits that are shown */

void writer_begin(struct writer *writer, FILE *out)
{
	*writer = (struct writer){
		.out = out, .on_lines = LEVELS_ON_LINES, .digits = 15, .empty = true};
}

void writer_begin_lines(struct writer *writer, FILE *out)
{
	*writer = (struct writer){.out = out,
				  .on_lines = WRITER_DEPTH,
				  .has_reals = true,
				  .digits = 15,
				  .empty = true};
}

void writer_begin_page(struct writer *writer, FILE *out)
{
	*writer = (struct writer){.out = out, .in_page = true, .digits = 9, .empty = true};
}

/* Files have millions of values, and one thread writes them: streams are not locked for each. */
static void writer_put(struct writer *writer, const char *text, size_t length)
{
	(void)fwrite_unlocked(text, 1, length, writer->out);
}

/* Half of a character, or a whole one. */
static void writer_unit(struct writer *writer, unsigned int unit)
{
	char text[8];

	writer_put(writer, text, (size_t)snprintf(text, sizeof(text), "\\u%04x", unit & 0xffff));
}

/* A character beyond ASCII, of clean UTF-8; what follows it. */
static const char *writer_wide(struct writer *writer, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	unsigned int more = *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
	uint32_t character = *at & (0x3fu >> more);

	for (at++; more; more--)
		character = character << 6 | (*at++ & 0x3f);
	if (character > 0xffff) {
		character -= 0x10000;
		writer_unit(writer, 0xd800 | character >> 10);
		character = 0xdc00 | (character & 0x3ff);
	}
	writer_unit(writer, character);
	return (const char *)at;
}

/* What has to be written another way, at the begin of TEXT; what follows it. */
static const char *writer_escape(struct writer *writer, const char *text)
{
	if ((unsigned char)*text >= 0x80)
		return writer_wide(writer, text);
	if (*text == '<') {
		writer_unit(writer, '<');
		return text + 1;
	}
	putc_unlocked('\\', writer->out);
	putc_unlocked(*text, writer->out);
	return text + 1;
}

static size_t writer_plain(const struct writer *writer, const char *text)
{
	const char *at = text;

	if (!writer->in_page)
		return strcspn(text, "\"\\");
	while (*at && *at != '"' && *at != '\\' && *at != '<' && (unsigned char)*at < 0x80)
		at++;
	return (size_t)(at - text);
}

static void writer_quote(struct writer *writer, const char *text)
{
	char *clean = clean_is(text) ? NULL : clean_text(text);
	const char *at = clean ? clean : text;

	putc_unlocked('"', writer->out);
	for (;;) {
		size_t plain = writer_plain(writer, at);

		writer_put(writer, at, plain);
		at += plain;
		if (!*at)
			break;
		at = writer_escape(writer, at);
	}
	putc_unlocked('"', writer->out);
	free(clean);
}

static void writer_line(struct writer *writer)
{
	static const char spaces[WRITER_DEPTH + 1] = "                                ";

	putc_unlocked('\n', writer->out);
	writer_put(writer, spaces, writer->depth);
}

static void writer_key(struct writer *writer, const char *key)
{
	if (!writer->empty)
		putc_unlocked(',', writer->out);
	if (writer->depth && writer->depth <= writer->on_lines)
		writer_line(writer);
	else if (!writer->empty && !writer->in_page)
		putc_unlocked(' ', writer->out);
	writer->empty = false;
	if (!key)
		return;
	writer_quote(writer, key);
	writer_put(writer, ": ", writer->in_page ? 1 : 2);
}

static void writer_open(struct writer *writer, const char *key, char begin, char end)
{
	assert(writer->depth < WRITER_DEPTH);
	writer_key(writer, key);
	putc_unlocked(begin, writer->out);
	writer->ends[writer->depth++] = end;
	writer->empty = true;
}

void writer_object(struct writer *writer, const char *key)
{
	writer_open(writer, key, '{', '}');
}

void writer_array(struct writer *writer, const char *key)
{
	writer_open(writer, key, '[', ']');
}

void writer_end(struct writer *writer)
{
	bool lines = !writer->empty && writer->depth <= writer->on_lines;

	assert(writer->depth > 0);
	writer->depth--;
	if (lines)
		writer_line(writer);
	putc_unlocked(writer->ends[writer->depth], writer->out);
	writer->empty = false;
	if (!writer->depth && !writer->in_page)
		putc_unlocked('\n', writer->out);
}

void writer_text(struct writer *writer, const char *key, const char *text)
{
	writer_key(writer, key);
	if (text)
		writer_quote(writer, text);
	else
		writer_put(writer, "null", 4);
}

/* Its digits, before END; where they begin. */
static char *writer_digits(uint64_t value, unsigned int base, char *end)
{
	do
		*--end = "0123456789abcdef"[value % base];
	while (value /= base);
	return end;
}

void writer_integer(struct writer *writer, const char *key, int64_t value)
{
	char text[DIGITS], *const end = text + sizeof(text);
	char *at = writer_digits(value < 0 ? -(uint64_t)value : (uint64_t)value, 10, end);

	if (value < 0)
		*--at = '-';
	writer_key(writer, key);
	writer_put(writer, at, (size_t)(end - at));
}

/* "1e+05" is written 1e5 where reals show what they are. */
static void writer_short_exponent(char *text)
{
	char *at = strchr(text, 'e'), *from;

	if (!at)
		return;
	from = ++at;
	if (*from == '-')
		at++, from++;
	from += strspn(from, "+0");
	memmove(at, from, strlen(from) + 1);
}

void writer_number(struct writer *writer, const char *key, double value)
{
	char text[DIGITS + 16];

	if (!isfinite(value))
		value = 0;
	if (value == floor(value) && fabs(value) < EXACT_LIMIT && !(value == 0 && signbit(value))) {
		writer_integer(writer, key, (int64_t)value);
		if (writer->has_reals)
			writer_put(writer, ".0", 2);
		return;
	}
	snprintf(text, sizeof(text), "%.*g", writer->digits, value);
	writer_key(writer, key);
	if (writer->has_reals && !strpbrk(text, ".e"))
		strcat(text, ".0");
	if (writer->has_reals || writer->in_page)
		writer_short_exponent(text);
	writer_put(writer, text, strlen(text));
}

void writer_address(struct writer *writer, const char *key, uint64_t value)
{
	char text[DIGITS], *const end = text + sizeof(text);
	char *at = writer_digits(value, 16, end);

	writer_key(writer, key);
	writer_put(writer, "\"0x", 3);
	writer_put(writer, at, (size_t)(end - at));
	putc_unlocked('"', writer->out);
}

void writer_bool(struct writer *writer, const char *key, bool value)
{
	writer_key(writer, key);
	writer_put(writer, value ? "true" : "false", value ? 4 : 5);
}

void writer_null(struct writer *writer, const char *key)
{
	writer_text(writer, key, NULL);
}
