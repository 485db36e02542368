/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* writer.c - the grammar of JSON: commas, quotes, escapes. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "writer.h"

#define LEVELS_ON_LINES 3u /* what lies deeper shares a line */

void writer_begin(struct writer *writer, FILE *out)
{
	*writer = (struct writer){.out = out, .empty = true};
}

static void writer_quote(FILE *out, const char *text)
{
	char *clean = clean_is(text) ? NULL : clean_text(text);
	const char *at;

	putc('"', out);
	for (at = clean ? clean : text; *at; at++) {
		if (*at == '"' || *at == '\\')
			putc('\\', out);
		putc(*at, out);
	}
	putc('"', out);
	free(clean);
}

static void writer_break(struct writer *writer)
{
	if (writer->depth && writer->depth <= LEVELS_ON_LINES)
		fprintf(writer->out, "\n%*s", (int)writer->depth, "");
}

static void writer_key(struct writer *writer, const char *key)
{
	if (!writer->empty)
		fputs(writer->depth > LEVELS_ON_LINES ? ", " : ",", writer->out);
	writer_break(writer);
	writer->empty = false;
	if (!key)
		return;
	writer_quote(writer->out, key);
	fputs(": ", writer->out);
}

static void writer_open(struct writer *writer, const char *key, char begin, char end)
{
	assert(writer->depth < WRITER_DEPTH);
	writer_key(writer, key);
	putc(begin, writer->out);
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
	bool lines = !writer->empty && writer->depth <= LEVELS_ON_LINES;

	assert(writer->depth > 0);
	writer->depth--;
	if (lines)
		fprintf(writer->out, "\n%*s", (int)writer->depth, "");
	putc(writer->ends[writer->depth], writer->out);
	writer->empty = false;
	if (!writer->depth)
		putc('\n', writer->out);
}

void writer_text(struct writer *writer, const char *key, const char *text)
{
	writer_key(writer, key);
	if (text)
		writer_quote(writer->out, text);
	else
		fputs("null", writer->out);
}

void writer_integer(struct writer *writer, const char *key, int64_t value)
{
	writer_key(writer, key);
	fprintf(writer->out, "%" PRId64, value);
}

void writer_number(struct writer *writer, const char *key, double value)
{
	writer_key(writer, key);
	fprintf(writer->out, "%.15g", isfinite(value) ? value : 0);
}

void writer_address(struct writer *writer, const char *key, uint64_t value)
{
	writer_key(writer, key);
	fprintf(writer->out, "\"0x%" PRIx64 "\"", value);
}

void writer_bool(struct writer *writer, const char *key, bool value)
{
	writer_key(writer, key);
	fputs(value ? "true" : "false", writer->out);
}

void writer_null(struct writer *writer, const char *key)
{
	writer_text(writer, key, NULL);
}
