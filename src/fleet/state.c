/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * state.c - a file of lines, each with columns; the last one says that it is whole.
 *
 *	stackdepot-push VERSION SEQ CLOCK BOOT
 *	S	id	day	labels
 *	R	table	source	key, its tabs as '\x1f'	figures, likewise	tail
 *	end
 *
 * Changes are lines S and R, and G for a row that is gone:
 *
 *	G	table	source	key
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/intern.h"
#include "base/memory.h"
#include "state.h"
#include "text/output.h"

#define STATE_VERSION 1
#define STATE_KEPT_DAYS 30 /* a source that nobody pushes any more */
#define INNER '\x1f'	   /* between the columns inside of one */

void state_set(char **text, const char *to)
{
	char *copy = memory_strdup(to);

	free(*text);
	*text = copy;
}

struct state_row *state_row(struct state *state, enum fleet_table_number table, const char *source,
			    const char *key, bool *ret_is_new)
{
	const size_t known = intern_nr(state->keys);
	char *name = memory_print("%d\t%s\t%s", table, source, key);
	const size_t number = intern_text(state->keys, name);

	free(name);
	*ret_is_new = number == known;
	if (number == known) {
		state->rows = memory_room(state->rows, known, &state->room, sizeof(*state->rows));
		state->rows[number] = (struct state_row){
			.table = table,
			.source = memory_strdup(source),
			.key = memory_strdup(key),
			.figures = memory_strdup(""),
			.tail = memory_strdup(""),
		};
	}
	*ret_is_new |= state->rows[number].gone;
	state->rows[number].gone = false;
	state->rows[number].touched = true;
	return &state->rows[number];
}

static struct state_source *state_find_source(const struct state *state, const char *id)
{
	size_t i;

	for (i = 0; i < state->nr_sources; i++)
		if (!strcmp(state->sources[i].id, id))
			return &state->sources[i];
	return NULL;
}

struct state_source *state_source(struct state *state, const char *id)
{
	struct state_source *source = state_find_source(state, id);

	if (!source) {
		state->sources = memory_room(state->sources, state->nr_sources,
					     &state->sources_room, sizeof(*state->sources));
		source = &state->sources[state->nr_sources++];
		*source =
			(struct state_source){.id = memory_strdup(id), .labels = memory_strdup("")};
	}
	source->touched = true;
	return source;
}

void state_forget_days(struct state *state)
{
	size_t i;

	for (i = 0; i < state->nr_sources; i++)
		state->sources[i].day = 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

static void state_swap(char *text, char from, char to)
{
	for (; *text; text++)
		if (*text == from)
			*text = to;
}

/* The text up to the next tab, which is ended; NULL if there is none. */
static char *state_word(char **at)
{
	char *word = *at, *tab = word ? strchr(word, '\t') : NULL;

	if (tab)
		*tab = '\0';
	*at = tab ? tab + 1 : NULL;
	return word;
}

/* The row that the first words name; NULL if they name none. */
static struct state_row *state_read_key(struct state *state, char **at)
{
	char *table = state_word(at), *source = state_word(at), *key = state_word(at);
	bool is_new;

	if (!key || strtoul(table, NULL, 10) >= FLEET_TABLES)
		return NULL;
	state_swap(key, INNER, '\t');
	return state_row(state, (enum fleet_table_number)strtoul(table, NULL, 10), source, key,
			 &is_new);
}

static bool state_read_row(struct state *state, char *at)
{
	struct state_row *row = state_read_key(state, &at);
	char *figures = state_word(&at), *tail = state_word(&at);

	if (!row || !tail)
		return false;
	state_swap(figures, INNER, '\t');
	state_set(&row->figures, figures);
	state_set(&row->tail, tail);
	return true;
}

static bool state_read_gone(struct state *state, char *at)
{
	struct state_row *row = state_read_key(state, &at);

	if (row)
		row->gone = true;
	return row;
}

static bool state_read_source(struct state *state, char *at)
{
	char *id = state_word(&at), *day = state_word(&at), *labels = state_word(&at);
	struct state_source *source;

	if (!labels)
		return false;
	state_swap(labels, INNER, '\t');
	source = state_source(state, id);
	source->day = strtoull(day, NULL, 10);
	state_set(&source->labels, labels);
	return true;
}

static bool state_read_first(struct state *state, const char *line)
{
	int version, used = 0;

	if (sscanf(line, "stackdepot-push %d %" SCNu64 " %" SCNd64 " %n", &version, &state->seq,
		   &state->wall_less_monotonic_ms, &used) != 3 ||
	    version != STATE_VERSION || !used)
		return false;
	state_set(&state->boot, line + used);
	return true;
}

/* Is it whole? */
static bool state_read(struct state *state, FILE *file)
{
	bool good = true, first = true, ended = false;
	char *line = NULL;
	size_t room = 0;

	while (good && !ended && getline(&line, &room, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (first)
			good = state_read_first(state, line);
		else if (!strncmp(line, "R\t", 2))
			good = state_read_row(state, line + 2);
		else if (!strncmp(line, "S\t", 2))
			good = state_read_source(state, line + 2);
		else
			good = ended = !strcmp(line, "end");
		first = false;
	}
	free(line);
	return ended;
}

struct state *state_open(const char *path)
{
	struct state *state = memory_alloc(sizeof(*state));
	FILE *file = fopen(path, "re");
	bool good = file || errno == ENOENT;

	state->keys = intern_open();
	state->boot = memory_strdup("");
	if (!good)
		complain("%s: %s", path, strerror(errno));
	if (file) {
		good = state_read(state, file);
		if (!good)
			complain("%s: damaged. Without it everything is sent again, which does no "
				 "harm; remove it if nobody writes it",
				 path);
		fclose(file);
	}
	if (good)
		return state;
	state_close(state);
	return NULL;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Columns as one. */
static void state_put(FILE *out, const char *columns)
{
	for (; *columns; columns++)
		putc_unlocked(*columns == '\t' ? INNER : *columns, out);
}

/* Does its source's day lie so near that it is still kept? */
static bool state_is_kept(const struct state *state, const char *id, uint64_t newest)
{
	const struct state_source *source = state_find_source(state, id);

	return !source || !source->day || source->day + STATE_KEPT_DAYS >= newest;
}

/* Stacks and frames are of no source: their tail is the day on which they were met. */
static bool state_row_is_kept(const struct state *state, const struct state_row *row,
			      uint64_t newest)
{
	if (row->gone)
		return false;
	if (!*row->source)
		return strtoull(row->tail, NULL, 10) + STATE_KEPT_DAYS >= newest;
	return state_is_kept(state, row->source, newest);
}

static uint64_t state_newest(const struct state *state)
{
	uint64_t newest = 0;
	size_t i;

	for (i = 0; i < state->nr_sources; i++)
		if (state->sources[i].day > newest)
			newest = state->sources[i].day;
	return newest;
}

static void state_write_source(const struct state_source *source, FILE *out)
{
	fprintf(out, "S\t%s\t%" PRIu64 "\t", source->id, source->day);
	state_put(out, source->labels);
	putc_unlocked('\n', out);
}

/* R or, of one that is gone, G. */
static void state_write_row(const struct state_row *row, FILE *out)
{
	fprintf(out, "%c\t%d\t%s\t", row->gone ? 'G' : 'R', row->table, row->source);
	state_put(out, row->key);
	if (!row->gone) {
		putc_unlocked('\t', out);
		state_put(out, row->figures);
		fprintf(out, "\t%s", row->tail);
	}
	putc_unlocked('\n', out);
}

bool state_write(const struct state *state, const char *path)
{
	const uint64_t newest = state_newest(state);
	struct output output;
	size_t i;

	if (!output_open(&output, path))
		return false;
	fprintf(output.file, "stackdepot-push %d %" PRIu64 " %" PRId64 " %s\n", STATE_VERSION,
		state->seq, state->wall_less_monotonic_ms, state->boot);
	for (i = 0; i < state->nr_sources; i++)
		if (state_is_kept(state, state->sources[i].id, newest))
			state_write_source(&state->sources[i], output.file);
	for (i = 0; i < intern_nr(state->keys); i++)
		if (state_row_is_kept(state, &state->rows[i], newest))
			state_write_row(&state->rows[i], output.file);
	fputs("end\n", output.file);
	return output_finish(&output);
}

/* --- changes ---------------------------------------------------------------------------------- */

void state_begin_changes(struct state *state)
{
	size_t i;

	for (i = 0; i < state->nr_sources; i++)
		state->sources[i].touched = false;
	for (i = 0; i < intern_nr(state->keys); i++)
		state->rows[i].touched = false;
}

void state_write_changes(const struct state *state, FILE *out)
{
	size_t i;

	for (i = 0; i < state->nr_sources; i++)
		if (state->sources[i].touched)
			state_write_source(&state->sources[i], out);
	for (i = 0; i < intern_nr(state->keys); i++)
		if (state->rows[i].touched)
			state_write_row(&state->rows[i], out);
	putc('\n', out);
}

static bool state_read_change(struct state *state, char *line)
{
	if (!strncmp(line, "S\t", 2))
		return state_read_source(state, line + 2);
	if (!strncmp(line, "R\t", 2))
		return state_read_row(state, line + 2);
	return !strncmp(line, "G\t", 2) && state_read_gone(state, line + 2);
}

bool state_read_changes(struct state *state, FILE *file)
{
	bool good = true, ended = false;
	char *line = NULL;
	size_t room = 0;

	while (good && !ended && getline(&line, &room, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		ended = !*line;
		good = ended || state_read_change(state, line);
	}
	free(line);
	return ended;
}

void state_close(struct state *state)
{
	size_t i;

	for (i = 0; i < intern_nr(state->keys); i++) {
		free(state->rows[i].source);
		free(state->rows[i].key);
		free(state->rows[i].figures);
		free(state->rows[i].tail);
	}
	for (i = 0; i < state->nr_sources; i++) {
		free(state->sources[i].id);
		free(state->sources[i].labels);
	}
	free(state->rows);
	free(state->sources);
	free(state->boot);
	intern_close(state->keys);
	free(state);
}
