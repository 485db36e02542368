/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* tables_text.c - rows, each as a sentence with its stacks, or as an object. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/memory.h"
#include "fetch.h"
#include "tables_text.h"
#include "text/json.h"
#include "text/number.h"
#include "text/text.h"
#include "text/writer.h"
#include "trend.h"

#define FRAMES_SHOWN 24
#define COLUMNS 32

static bool answer_is_id(const char *id)
{
	return id[strspn(id, "0-")] != '\0';
}

/* A row in its columns; false if it has fewer. */
static bool answer_split(const struct answer *answer, char *row, char *values[COLUMNS])
{
	size_t i;

	for (i = 0; i < answer->nr_columns; i++) {
		values[i] = rows_next(&row);
		if (!values[i])
			return false;
	}
	return true;
}

/* --- for people ------------------------------------------------------------------------------- */

static void answer_time(const char *value, char buffer[TEXT_NUMBER])
{
	const time_t at = (time_t)strtoll(value, NULL, 10);
	struct tm local;

	localtime_r(&at, &local);
	strftime(buffer, TEXT_NUMBER, "%Y-%m-%d %H:%M", &local);
}

static const char *answer_value(const struct answer_column *column, const char *value,
				char buffer[TEXT_NUMBER])
{
	const double number = strtod(value, NULL);

	switch (column->kind) {
	case ANSWER_BYTES:
		return text_bytes(number, buffer);
	case ANSWER_COUNT:
		return column->noun ? text_number(number, column->noun, buffer)
				    : text_count(number, buffer);
	case ANSWER_TIME:
		answer_time(value, buffer);
		return buffer;
	default:
		return value;
	}
}

static bool answer_is_said(const struct answer_column *column, const char *value)
{
	if (!column->text || column->kind == ANSWER_STACK)
		return false;
	if (!column->only_if_any)
		return true;
	return *value && (column->kind == ANSWER_TEXT || strtod(value, NULL) != 0);
}

static void answer_sentence(const struct answer *answer, char *values[COLUMNS])
{
	const char *between = "";
	size_t i;

	for (i = 0; i < answer->nr_columns; i++) {
		char buffer[TEXT_NUMBER], *text, *said;
		const struct answer_column *column = &answer->columns[i];
		const char *end;

		if (!answer_is_said(column, values[i]))
			continue;
		text = memory_strdup(answer_value(column, values[i], buffer));
		end = strstr(column->text, "%s");
		said = memory_print("%s%.*s%s%s", between, (int)(end - column->text), column->text,
				    text, end + 2);
		clean_write(stdout, said);
		free(text);
		free(said);
		between = i ? ", " : ": ";
	}
	putchar('\n');
}

static void answer_stacks(const struct answer *answer, struct fetch *fetch, char *values[COLUMNS])
{
	const struct text_style style = {.frame_limit = FRAMES_SHOWN};
	size_t i;

	for (i = 0; i < answer->nr_columns; i++) {
		if (answer->columns[i].kind != ANSWER_STACK || !answer_is_id(values[i]))
			continue;
		printf("  %s %s\n", answer->columns[i].text, values[i]);
		text_trace(stdout, &style, fetch_trace(fetch, values[i]));
	}
}

/* --- for programs ----------------------------------------------------------------------------- */

static void answer_json_value(struct writer *writer, const struct answer_column *column,
			      struct fetch *fetch, const char *value)
{
	char *frames;

	switch (column->kind) {
	case ANSWER_TEXT:
		writer_text(writer, column->name, value);
		break;
	case ANSWER_BOOL:
		writer_bool(writer, column->name, strtod(value, NULL) != 0);
		break;
	case ANSWER_STACK:
		writer_text(writer, column->name, answer_is_id(value) ? value : NULL);
		if (!answer_is_id(value))
			break;
		frames = memory_print("%s_frames", column->name);
		json_trace(writer, frames, fetch_trace(fetch, value));
		free(frames);
		break;
	case ANSWER_TIME:
		writer_integer(writer, column->name, strtoll(value, NULL, 10));
		break;
	default:
		writer_number(writer, column->name, strtod(value, NULL));
	}
}

static void answer_json_row(struct writer *writer, const struct answer *answer, struct fetch *fetch,
			    char *values[COLUMNS])
{
	size_t i;

	writer_object(writer, NULL);
	for (i = 0; i < answer->nr_columns; i++)
		answer_json_value(writer, &answer->columns[i], fetch, values[i]);
	writer_end(writer);
}

/* ---------------------------------------------------------------------------------------------- */

/* Each row of a copy, as rows are taken apart in place; their number. */
static size_t answer_each(const struct answer *answer, const struct rows *rows, struct fetch *fetch,
			  struct writer *writer,
			  void (*each)(struct writer *writer, const struct answer *answer,
				       struct fetch *fetch, char *values[COLUMNS]))
{
	char *copy = memory_strdup(rows_text(rows)), *rest = copy, *row, *values[COLUMNS];
	size_t nr = 0;

	while (*rest && (row = strsep(&rest, "\n"))) {
		if (answer_split(answer, row, values)) {
			each(writer, answer, fetch, values);
			nr++;
		}
		if (!rest)
			break;
	}
	free(copy);
	return nr;
}

static void answer_want(struct writer *writer, const struct answer *answer, struct fetch *fetch,
			char *values[COLUMNS])
{
	size_t i;

	(void)writer;
	for (i = 0; i < answer->nr_columns; i++)
		if (answer->columns[i].kind == ANSWER_STACK && answer_is_id(values[i]))
			fetch_want(fetch, values[i]);
}

static void answer_text_row(struct writer *writer, const struct answer *answer, struct fetch *fetch,
			    char *values[COLUMNS])
{
	(void)writer;
	answer_sentence(answer, values);
	answer_stacks(answer, fetch, values);
}

bool answer_show(const struct answer *answer, const struct fleet_options *options,
		 struct server *server, const struct rows *rows, const struct trend *trend)
{
	struct fetch *fetch = fetch_open();
	struct writer writer;
	bool good;

	(void)answer_each(answer, rows, fetch, NULL, answer_want);
	good = fetch_run(fetch, server);
	if (good && options->json) {
		writer_begin_lines(&writer, stdout);
		writer_object(&writer, NULL);
		writer_integer(&writer, "version", 1);
		writer_array(&writer, answer->list);
		(void)answer_each(answer, rows, fetch, &writer, answer_json_row);
		writer_end(&writer);
		if (trend)
			trend_json(&writer, trend);
		writer_end(&writer);
	} else if (good) {
		if (!answer_each(answer, rows, fetch, NULL, answer_text_row))
			puts(answer->none);
		if (trend)
			trend_text(trend);
	}
	fetch_close(fetch);
	return good;
}
