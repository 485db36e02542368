/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * fetch.c - which frames a stack has, and what each is called.
 *
 * Both are asked for in portions, as a query has a bound in length.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/intern.h"
#include "base/memory.h"
#include "fetch.h"

#define PORTION 500u

struct fetch_stack {
	struct profile_trace trace;
	struct symbol_frame **frames;
	size_t room;
};

struct fetch {
	struct intern *ids;
	struct fetch_stack *stacks; /* numbers as of ids */
	size_t stacks_room;
	size_t nr_asked;
	struct intern *places; /* "BUILD\tOFFSET" */
	struct symbol_frame **frames;
	size_t frames_room;
	size_t nr_named;
	struct intern *names;
	struct symbol_module **modules; /* numbers as of names, for frames whose module it is */
	size_t modules_room;
};

struct fetch *fetch_open(void)
{
	struct fetch *fetch = memory_alloc(sizeof(*fetch));

	fetch->ids = intern_open();
	fetch->places = intern_open();
	fetch->names = intern_open();
	return fetch;
}

static void fetch_free_module(struct symbol_module *module)
{
	free(module->raw_path);
	free(module->path);
	free(module->name);
	free(module->label);
	free(module);
}

static void fetch_free_frame(struct symbol_frame *frame)
{
	size_t i;

	for (i = 0; i < frame->nr; i++) {
		free((char *)(uintptr_t)frame->lines[i].function);
		free((char *)(uintptr_t)frame->lines[i].file);
	}
	free(frame->lines);
	free(frame);
}

void fetch_close(struct fetch *fetch)
{
	size_t i;

	for (i = 0; i < intern_nr(fetch->ids); i++)
		free(fetch->stacks[i].frames);
	for (i = 0; i < intern_nr(fetch->places); i++)
		fetch_free_frame(fetch->frames[i]);
	for (i = 0; i < intern_nr(fetch->names); i++)
		fetch_free_module(fetch->modules[i]);
	intern_close(fetch->ids);
	intern_close(fetch->places);
	intern_close(fetch->names);
	free(fetch->stacks);
	free(fetch->frames);
	free(fetch->modules);
	free(fetch);
}

static size_t fetch_stack(struct fetch *fetch, const char *id)
{
	const size_t known = intern_nr(fetch->ids), number = intern_text(fetch->ids, id);

	if (number == known) {
		fetch->stacks = memory_room(fetch->stacks, known, &fetch->stacks_room,
					    sizeof(*fetch->stacks));
		fetch->stacks[number] = (struct fetch_stack){.trace.hash = number + 1};
	}
	return number;
}

void fetch_want(struct fetch *fetch, const char *id)
{
	(void)fetch_stack(fetch, id);
}

const struct profile_trace *fetch_trace(struct fetch *fetch, const char *id)
{
	struct fetch_stack *stack = &fetch->stacks[fetch_stack(fetch, id)];

	stack->trace.frames = stack->frames;
	return &stack->trace;
}

/* --- frames ----------------------------------------------------------------------------------- */

static struct symbol_module *fetch_module(struct fetch *fetch, const char *name)
{
	const size_t known = intern_nr(fetch->names), number = intern_text(fetch->names, name);
	struct symbol_module *module;

	if (number < known)
		return fetch->modules[number];
	module = memory_alloc(sizeof(*module));
	module->raw_path = memory_strdup(name);
	module->path = clean_text(name);
	module->name = clean_text(name);
	module->label = clean_text(name);
	module->number = number;
	module->hash = number + 1;
	fetch->modules =
		memory_room(fetch->modules, known, &fetch->modules_room, sizeof(*fetch->modules));
	fetch->modules[number] = module;
	return module;
}

static struct symbol_frame *fetch_frame(struct fetch *fetch, const char *build, uint64_t offset)
{
	char *place = memory_print("%s\t%" PRIu64, build, offset);
	const size_t known = intern_nr(fetch->places), number = intern_text(fetch->places, place);

	free(place);
	if (number == known) {
		fetch->frames = memory_room(fetch->frames, known, &fetch->frames_room,
					    sizeof(*fetch->frames));
		fetch->frames[number] = memory_alloc(sizeof(**fetch->frames));
		fetch->frames[number]->offset = offset;
		fetch->frames[number]->hash = number + 1;
	}
	return fetch->frames[number];
}

/* id, build, offset; in the order of the frames. */
static void fetch_take_stack(struct fetch *fetch, char *row)
{
	char *id = rows_next(&row), *build = rows_next(&row), *offset = rows_next(&row);
	struct fetch_stack *stack;

	if (!offset)
		return;
	stack = &fetch->stacks[fetch_stack(fetch, id)];
	if (stack->trace.nr >= STACKDEPOT_MAX_FRAMES)
		return;
	stack->frames =
		memory_room(stack->frames, stack->trace.nr, &stack->room, sizeof(*stack->frames));
	stack->frames[stack->trace.nr++] = fetch_frame(fetch, build, strtoull(offset, NULL, 10));
}

/* build, offset, module, function, file, line: the innermost function first. */
static void fetch_take_frame(struct fetch *fetch, char *row)
{
	char *build = rows_next(&row), *offset = rows_next(&row), *module = rows_next(&row);
	char *function = rows_next(&row), *file = rows_next(&row), *line = rows_next(&row);
	struct symbol_frame *frame;
	struct symbol_line *added;

	if (!line)
		return;
	frame = fetch_frame(fetch, build, strtoull(offset, NULL, 10));
	if (*module)
		frame->in = fetch_module(fetch, module);
	frame->lines = memory_realloc(frame->lines, (frame->nr + 1) * sizeof(*frame->lines));
	if (frame->nr)
		frame->lines[frame->nr - 1].inlined = true;
	added = &frame->lines[frame->nr++];
	*added = (struct symbol_line){.line = (int)strtol(line, NULL, 10)};
	added->function = *function ? clean_text(function) : NULL;
	added->file = *file ? clean_text(file) : NULL;
}

/* --- asking ----------------------------------------------------------------------------------- */

static bool fetch_ask(struct fetch *fetch, struct server *server, const struct rows *sql,
		      void (*take)(struct fetch *fetch, char *row))
{
	struct rows answer = {0};
	char *line, *rest;
	bool good = server_query(server, rows_text(sql), &answer);

	for (rest = answer.text; good && rest && *rest && (line = strsep(&rest, "\n"));)
		take(fetch, line);
	rows_free(&answer);
	return good;
}

static bool fetch_stacks(struct fetch *fetch, struct server *server, size_t first, size_t end)
{
	struct rows sql = {0};
	bool good;

	rows_print(&sql, "SELECT id, build, offset FROM (SELECT id, any(builds) AS b, "
			 "any(offsets) AS o FROM stacks WHERE toString(id) IN (");
	for (; first < end; first++)
		rows_item(&sql, intern_at(fetch->ids, first, NULL));
	rows_print(&sql,
		   ") GROUP BY id) ARRAY JOIN b AS build, o AS offset, arrayEnumerate(b) AS n "
		   "ORDER BY id, n");
	good = fetch_ask(fetch, server, &sql, fetch_take_stack);
	rows_free(&sql);
	return good;
}

static bool fetch_names(struct fetch *fetch, struct server *server, size_t first, size_t end)
{
	struct rows sql = {0};
	bool good;

	rows_print(&sql,
		   "SELECT build, offset, module, f, l, n FROM (SELECT build, offset, module, "
		   "functions, files, lines FROM frames WHERE (build, offset) IN (");
	for (; first < end; first++) {
		char *place = memory_strdup(intern_at(fetch->places, first, NULL));
		char *tab = strrchr(place, '\t');

		*tab = '\0';
		rows_print(&sql, "%s(", sql.follows ? "," : "");
		sql.follows = false;
		rows_item(&sql, place);
		rows_print(&sql, ",%s)", tab + 1);
		free(place);
	}
	rows_print(&sql, ") ORDER BY resolved DESC LIMIT 1 BY build, offset) LEFT ARRAY JOIN "
			 "functions AS f, files AS l, lines AS n");
	good = fetch_ask(fetch, server, &sql, fetch_take_frame);
	rows_free(&sql);
	return good;
}

static size_t fetch_portion(size_t first, size_t nr)
{
	return first + PORTION < nr ? first + PORTION : nr;
}

/* What has no name is shown by module and offset. */
static void fetch_fill(struct fetch *fetch)
{
	size_t i;

	for (i = 0; i < intern_nr(fetch->places); i++) {
		struct symbol_frame *frame = fetch->frames[i];

		if (frame->nr)
			continue;
		frame->lines = memory_alloc(sizeof(*frame->lines));
		frame->nr = 1;
	}
}

bool fetch_run(struct fetch *fetch, struct server *server)
{
	const size_t nr = intern_nr(fetch->ids);
	size_t places;
	bool good = true;

	for (; good && fetch->nr_asked < nr; fetch->nr_asked = fetch_portion(fetch->nr_asked, nr))
		good = fetch_stacks(fetch, server, fetch->nr_asked,
				    fetch_portion(fetch->nr_asked, nr));
	places = intern_nr(fetch->places);
	for (; good && fetch->nr_named < places;
	     fetch->nr_named = fetch_portion(fetch->nr_named, places))
		good = fetch_names(fetch, server, fetch->nr_named,
				   fetch_portion(fetch->nr_named, places));
	fetch_fill(fetch);
	return good;
}
