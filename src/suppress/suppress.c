/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* suppress.c - the list of suppressions: read, and what became of each of them. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/complain.h"
#include "base/memory.h"
#include "rules.h"
#include "text/number.h"
#include "text/text.h"
#include "text/writer.h"

#define LINE_BYTES 16384u

struct suppress *suppress_open(void)
{
	struct suppress *suppress = memory_alloc(sizeof(*suppress));

	suppress->filter =
		(struct profile_filter){suppress, suppress_forget, suppress_leak, suppress_error};
	return suppress;
}

const struct profile_filter *suppress_filter(const struct suppress *suppress)
{
	return suppress ? &suppress->filter : NULL;
}

void suppress_close(struct suppress *suppress)
{
	size_t i;

	if (!suppress)
		return;
	suppress_forget(suppress);
	for (i = 0; i < suppress->nr; i++)
		free(suppress->rules[i].text);
	for (i = 0; i < suppress->files_nr; i++)
		free(suppress->files[i]);
	free(suppress->files);
	free(suppress->rules);
	free(suppress);
}

/* Rules of files stay in front of built-in ones. */
static struct suppress_rule *suppress_add(struct suppress *suppress, size_t at)
{
	suppress->rules =
		memory_realloc(suppress->rules, (suppress->nr + 1) * sizeof(*suppress->rules));
	memmove(&suppress->rules[at + 1], &suppress->rules[at],
		(suppress->nr - at) * sizeof(*suppress->rules));
	memset(&suppress->rules[at], 0, sizeof(suppress->rules[at]));
	suppress->nr++;
	return &suppress->rules[at];
}

void suppress_add_builtin(struct suppress *suppress)
{
	size_t i;

	for (i = 0; i < suppress_builtin_nr; i++) {
		struct suppress_rule *rule = suppress_add(suppress, suppress->nr);

		rule->kinds = SUPPRESS_LEAK;
		rule->builtin = &suppress_builtins[i];
		rule->text = memory_strdup(rule->builtin->name);
	}
}

/* --- files ------------------------------------------------------------------------------------ */

/* 0: there is no such kind. */
static unsigned int suppress_kinds(const char *name, size_t length)
{
	unsigned int kind, kinds = 0;

	if (length == strlen("leak") && !strncmp(name, "leak", length))
		return SUPPRESS_LEAK;
	if (length == strlen("error") && !strncmp(name, "error", length))
		return SUPPRESS_ERRORS;
	for (kind = 1; kind < STACKDEPOT_ERROR_KINDS; kind++) {
		const char *known = stackdepot_error_name(kind);

		if (strlen(known) == length && !strncmp(name, known, length))
			kinds |= 1u << kind;
	}
	return kinds;
}

/* LINE without the blanks around it. NULL or what is wrong. */
static const char *suppress_line(struct suppress *suppress, char *line, unsigned int number)
{
	char *colon = strchr(line, ':');
	unsigned int kinds = colon ? suppress_kinds(line, (size_t)(colon - line)) : 0;
	struct suppress_rule *rule;

	if (!*line || *line == '#')
		return NULL;
	if (!colon)
		return "KIND:PATTERN is expected";
	if (!kinds)
		return "no such kind; there are leak, error and the names of errors";
	if (!colon[1])
		return "the pattern is missing";
	rule = suppress_add(suppress, suppress->builtin++);
	rule->kinds = kinds;
	rule->text = memory_strdup(line);
	rule->pattern = rule->text + (colon - line) + 1;
	rule->file = suppress->files[suppress->files_nr - 1];
	rule->line = number;
	return NULL;
}

static char *suppress_strip(char *line)
{
	size_t length;

	while (isspace((unsigned char)*line))
		line++;
	for (length = strlen(line); length && isspace((unsigned char)line[length - 1]);)
		length--;
	line[length] = '\0';
	return line;
}

static bool suppress_lines(struct suppress *suppress, const char *path, FILE *file)
{
	char line[LINE_BYTES];
	unsigned int number = 0;

	while (fgets(line, sizeof(line), file)) {
		const char *trouble = "a NUL in it, or too long";

		number++;
		/* Whole with its newline, or the last one without. */
		if (strchr(line, '\n') || (*line && feof(file)))
			trouble = suppress_line(suppress, suppress_strip(line), number);
		if (trouble) {
			complain("%s:%u: %s", path, number, trouble);
			return false;
		}
	}
	if (ferror(file))
		complain("%s: %s", path, strerror(errno));
	return !ferror(file);
}

bool suppress_read(struct suppress *suppress, const char *path)
{
	FILE *file = fopen(path, "r");
	bool good;

	if (!file) {
		complain("%s: %s", path, strerror(errno));
		return false;
	}
	suppress->files = memory_realloc(suppress->files,
					 (suppress->files_nr + 1) * sizeof(*suppress->files));
	suppress->files[suppress->files_nr++] = memory_strdup(path);
	good = suppress_lines(suppress, path, file);
	fclose(file);
	return good;
}

/* --- what became of them ---------------------------------------------------------------------- */

static void suppress_sum(struct suppress_sums *sum, const struct suppress_sums *more)
{
	sum->stacks += more->stacks;
	sum->bytes += more->bytes;
	sum->objects += more->objects;
	sum->errors += more->errors;
	sum->seen += more->seen;
}

static struct suppress_sums suppress_sums_of(const struct suppress_rule *rule, unsigned int kinds)
{
	struct suppress_sums sums = {0};

	if (kinds & SUPPRESS_LEAK)
		suppress_sum(&sums, &rule->leaks);
	if (kinds & SUPPRESS_ERRORS)
		suppress_sum(&sums, &rule->errors);
	return sums;
}

struct suppress_sums suppress_total(const struct suppress *suppress, unsigned int kinds)
{
	struct suppress_sums sums = {0}, one;
	size_t i;

	for (i = 0; suppress && i < suppress->nr; i++) {
		one = suppress_sums_of(&suppress->rules[i], kinds);
		suppress_sum(&sums, &one);
	}
	return sums;
}

void suppress_print_sums(FILE *out, const struct suppress_sums *sums)
{
	char bytes[TEXT_BYTES], objects[TEXT_NUMBER], number[TEXT_NUMBER];

	if (sums->stacks)
		fprintf(out, "%s in %s from %s", text_bytes(sums->bytes, bytes),
			text_number(sums->objects, "object", objects),
			text_number((double)sums->stacks, "stack", number));
	if (sums->errors)
		fprintf(out, "%s%s, seen %s", sums->stacks ? ", and " : "",
			text_number((double)sums->errors, "error", objects),
			text_number((double)sums->seen, "time", number));
}

static void suppress_print_rule(FILE *out, const struct suppress_rule *rule, unsigned int kinds)
{
	struct suppress_sums sums = suppress_sums_of(rule, kinds);

	if (!sums.stacks && !sums.errors)
		return;
	fputs("    ", out);
	suppress_print_sums(out, &sums);
	if (rule->builtin) {
		fprintf(out, ": built in, %s (%s)\n", rule->text, rule->builtin->reason);
		return;
	}
	fputs(": ", out);
	text_name(out, rule->text);
	fprintf(out, " (%s:%u)\n", rule->file, rule->line);
}

static bool suppress_is_unused(const struct suppress_rule *rule, unsigned int kinds)
{
	return !rule->builtin && !rule->used && (rule->kinds & kinds);
}

static void suppress_print_unused(FILE *out, const struct suppress *suppress, unsigned int kinds)
{
	const char *before = "Not used: ";
	size_t i;

	for (i = 0; i < suppress->nr; i++) {
		const struct suppress_rule *rule = &suppress->rules[i];

		if (!suppress_is_unused(rule, kinds))
			continue;
		fputs(before, out);
		text_name(out, rule->text);
		fprintf(out, " (%s:%u)", rule->file, rule->line);
		before = ", ";
	}
	if (*before == ',')
		putc('\n', out);
}

bool suppress_says(const struct suppress *suppress, unsigned int kinds)
{
	struct suppress_sums total = suppress_total(suppress, kinds);
	size_t i;

	for (i = 0; suppress && i < suppress->nr; i++)
		if (suppress_is_unused(&suppress->rules[i], kinds))
			return true;
	return total.stacks || total.errors;
}

void suppress_print(FILE *out, const struct suppress *suppress, unsigned int kinds)
{
	struct suppress_sums total = suppress_total(suppress, kinds);
	size_t i;

	if (!suppress)
		return;
	if (total.stacks || total.errors) {
		fputs("Suppressed: ", out);
		suppress_print_sums(out, &total);
		putc('\n', out);
	}
	for (i = 0; i < suppress->nr; i++)
		suppress_print_rule(out, &suppress->rules[i], kinds);
	suppress_print_unused(out, suppress, kinds);
}

/* What it is; the object goes on. */
static void suppress_json_rule(struct writer *writer, const struct suppress_rule *rule)
{
	writer_object(writer, NULL);
	writer_text(writer, "rule", rule->text);
	writer_text(writer, "file", rule->file);
	if (rule->file)
		writer_integer(writer, "line", rule->line);
	else
		writer_null(writer, "line");
	writer_text(writer, "reason", rule->builtin ? rule->builtin->reason : NULL);
}

void suppress_json(struct writer *writer, const struct suppress *suppress, unsigned int kinds)
{
	size_t i;

	writer_array(writer, "suppressed");
	for (i = 0; suppress && i < suppress->nr; i++) {
		struct suppress_sums sums = suppress_sums_of(&suppress->rules[i], kinds);

		if (!sums.stacks && !sums.errors)
			continue;
		suppress_json_rule(writer, &suppress->rules[i]);
		writer_integer(writer, "stacks", (int64_t)sums.stacks);
		writer_number(writer, "live_bytes", sums.bytes);
		writer_number(writer, "live_objects", sums.objects);
		writer_integer(writer, "errors", (int64_t)sums.errors);
		writer_end(writer);
	}
	writer_end(writer);
}

void suppress_json_unused(struct writer *writer, const struct suppress *suppress,
			  unsigned int kinds)
{
	size_t i;

	writer_array(writer, "unused_suppressions");
	for (i = 0; suppress && i < suppress->nr; i++) {
		if (!suppress_is_unused(&suppress->rules[i], kinds))
			continue;
		suppress_json_rule(writer, &suppress->rules[i]);
		writer_end(writer);
	}
	writer_end(writer);
}
