/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A file of suppressions, and the names of a stack that they may cover; these stand behind the
 * first NUL, each ended by another. What a pattern says is asked of a second matcher, which tries
 * every way there is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/complain.h"
#include "files.h"
#include "fuzz.h"
#include "suppress/rules.h"
#include "suppress/suppress.h"
#include "text/writer.h"

#define NAMES 6u
#define SHORT 24u /* bytes of a pattern and of a text that are tried every way */

/* A fuzzer's output is its own. */
void complain(const char *format, ...)
{
	(void)format;
}

/* By what is left of the pattern and of the text: no way from here leads to a match. */
static bool slow_tried[SHORT + 1][SHORT + 1];

/* PATTERN up to END, whose stars stand for anything, at the beginning of TEXT. */
static bool slow_here(const char *pattern, const char *end, const char *text, bool to_end)
{
	bool *tried = &slow_tried[end - pattern][strlen(text)];

	if (*tried)
		return false;
	*tried = true;
	if (pattern == end)
		return !to_end || !*text;
	if (*pattern != '*')
		return *text == *pattern && slow_here(pattern + 1, end, text + 1, to_end);
	for (;; text++) {
		if (slow_here(pattern + 1, end, text, to_end))
			return true;
		if (!*text)
			return false;
	}
}

static bool slow_pattern(const char *pattern, const char *text)
{
	const char *end = pattern + strlen(pattern);
	bool from_start = *pattern == '^', to_end;

	memset(slow_tried, 0, sizeof(slow_tried));
	pattern += from_start;
	to_end = end > pattern && end[-1] == '$';
	end -= to_end;
	for (;; text++) {
		if (slow_here(pattern, end, text, to_end))
			return true;
		if (from_start || !*text)
			return false;
	}
}

static void try_pattern(const char *pattern, const char *text)
{
	if (strlen(pattern) > SHORT || strlen(text) > SHORT)
		(void)suppress_pattern(pattern, text);
	else if (suppress_pattern(pattern, text) != slow_pattern(pattern, text))
		abort();
}

/* Two frames of one module: the first with an inlined function, the second without a name. */
static void try_stack(struct suppress *suppress, char *const *names)
{
	struct symbol_module module = {.raw_path = names[0], .path = names[0], .name = names[1]};
	struct symbol_line lines[] = {{.function = names[2], .file = names[3], .inlined = true},
				      {.function = names[4], .file = names[5]},
				      {.function = NULL}};
	struct symbol_frame named = {.in = &module, .lines = lines, .nr = 2};
	struct symbol_frame bare = {.in = &module, .offset = 0x1234, .lines = lines + 2, .nr = 1};
	struct symbol_frame *places[] = {&named, &bare};
	struct profile_trace trace = {.frames = places, .nr = 2};
	struct profile_stack stack = {.trace = trace, .sums = {.objects = 1, .bytes = 8}};
	struct profile_error error = {.access = trace, .alloc = trace};

	(void)suppress_leak(suppress, &stack);
	for (error.error.kind = 0; error.error.kind <= STACKDEPOT_ERROR_KINDS; error.error.kind++)
		(void)suppress_error(suppress, &error);
	suppress_forget(suppress);
}

static void try_rules(const char *path, char *const *names)
{
	static FILE *nowhere;
	struct suppress *suppress = suppress_open();
	struct writer writer;
	size_t covered;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	(void)suppress_read(suppress, path);
	suppress_add_builtin(suppress);
	try_stack(suppress, names);
	covered = suppress_total(suppress, SUPPRESS_LEAK).stacks;
	if (covered > 1 || (covered && !suppress_says(suppress, SUPPRESS_LEAK)))
		abort();
	suppress_print(nowhere, suppress, SUPPRESS_ALL);
	writer_begin_lines(&writer, nowhere);
	writer_object(&writer, NULL);
	suppress_json(&writer, suppress, SUPPRESS_ALL);
	suppress_json_unused(&writer, suppress, SUPPRESS_ALL);
	writer_end(&writer);
	suppress_close(suppress);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	size_t rules = nul ? (size_t)(nul - data) : size, i;
	char *text = calloc(1, size + NAMES + 2), *names[NAMES], *path = files_path("rules");

	if (!text)
		return 0;
	memcpy(text, data, size);
	names[0] = text + rules + (rules < size);
	for (i = 1; i < NAMES; i++) {
		names[i] = names[i - 1] + strlen(names[i - 1]);
		names[i] += names[i] < text + size;
	}
	/* With a NUL within, too, if the last of the names is a long one. */
	files_write("rules", data, strlen(names[NAMES - 1]) > 2 * SHORT ? size : rules);
	try_rules(path, names);
	for (i = 1; i < NAMES; i++)
		try_pattern(names[i - 1], names[i]);
	free(text);
	free(path);
	return 0;
}
