/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * resolve.c - a host that has the symbols of a build names the frames of those that have not.
 *
 * The server is asked which frames of the builds that are known here have no functions. Their names
 * are told as if they had been met here; then the keys of the stacks that go through them are told
 * anew, as they are made of names. A row with more of them takes the place of one with fewer.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/complain.h"
#include "base/intern.h"
#include "base/memory.h"
#include "base/rights.h"
#include "fetch.h"
#include "place.h"
#include "resolve.h"
#include "stackdepot/store.h"
#include "symbols/symbols.h"

#define PORTION 200u

struct resolve {
	const struct spool *spool;
	struct server *server;
	struct symbols *symbols;
	struct intern *builds; /* that frames were named of */
	struct rows frames;
};

/* Each line of an answer, whose columns are taken apart in place. */
static void resolve_each(struct rows *answer, void (*each)(void *context, char *row), void *context)
{
	char *rest = answer->text, *line;

	while (rest && *rest && (line = strsep(&rest, "\n")))
		each(context, line);
}

/* --- frames ----------------------------------------------------------------------------------- */

static struct symbol_module *resolve_module(const struct resolve *resolve, const char *build)
{
	const size_t nr = symbols_modules(resolve->symbols);
	size_t i;

	for (i = 0; i < nr; i++) {
		struct symbol_module *module = symbols_module(resolve->symbols, i);
		const struct symbol_frame frame = {.in = module};
		struct place place = place_of(&frame);
		const bool same = !strcmp(place.build, build);

		free(place.build);
		if (same)
			return module;
	}
	return NULL;
}

/* build, offset */
static void resolve_frame(void *context, char *row)
{
	struct resolve *resolve = context;
	char *build = rows_next(&row), *offset = rows_next(&row);
	struct symbol_frame frame = {.in = offset ? resolve_module(resolve, build) : NULL};
	struct place place = {.build = build};

	if (!frame.in)
		return;
	frame.offset = place.offset = strtoull(offset, NULL, 10);
	(void)symbols_frame(&frame);
	if (place_resolved(&frame)) {
		place_row(&resolve->frames, &frame, &place);
		(void)intern_text(resolve->builds, build);
	}
	free(frame.lines);
}

static void resolve_ask(struct rows *sql, const struct resolve *resolve)
{
	const size_t nr = symbols_modules(resolve->symbols);
	size_t i;

	rows_print(sql, "SELECT build, offset FROM frames WHERE build IN ('' ");
	for (i = 0; i < nr; i++) {
		const struct symbol_frame frame = {.in = symbols_module(resolve->symbols, i)};
		struct place place = place_of(&frame);

		rows_print(sql, ", ");
		rows_quote(sql, place.build);
		free(place.build);
	}
	rows_print(sql, ") GROUP BY build, offset HAVING max(resolved) = 0");
}

/* As a batch's file is sent. */
static bool resolve_send(const struct resolve *resolve)
{
	const struct fleet_table *table = &fleet_tables[FLEET_FRAMES];
	char *directory = memory_print("%s/names", resolve->spool->path);
	char *path = spool_file(resolve->spool, "names", FLEET_FRAMES);
	bool good;

	spool_remove(resolve->spool, "names");
	good = !mkdir(directory, 0700) && spool_write(directory, FLEET_FRAMES, &resolve->frames) &&
	       server_insert(resolve->server, table->name, table->columns, path) == SERVER_TOOK;
	if (!good) {
		complain("push: names of frames: %s", server_error(resolve->server));
		spool_remove(resolve->spool, "names");
	}
	free(directory);
	free(path);
	return good;
}

/* --- keys ------------------------------------------------------------------------------------- */

struct resolve_ids {
	char **ids;
	size_t nr;
	size_t room;
};

static void resolve_id(void *context, char *row)
{
	struct resolve_ids *ids = context;

	ids->ids = memory_room(ids->ids, ids->nr, &ids->room, sizeof(*ids->ids));
	ids->ids[ids->nr++] = memory_strdup(rows_next(&row));
}

static unsigned int resolve_count(const struct profile_trace *trace)
{
	unsigned int i, nr = 0;

	for (i = 0; i < trace->nr; i++)
		nr += place_resolved(symbols_frame(trace->frames[i])) != 0;
	return nr;
}

/* Their rows again, with other keys. */
static bool resolve_keys(const struct resolve *resolve, struct fetch *fetch, char *const *ids,
			 size_t nr)
{
	struct rows names = {0}, keys = {0}, counts = {0}, sql = {0}, answer = {0};
	size_t i;
	bool good;

	for (i = 0; i < nr; i++) {
		const struct profile_trace *trace = fetch_trace(fetch, ids[i]);

		rows_item(&names, ids[i]);
		rows_print(&keys, "%stoUInt64(%" PRIu64 ")", i ? "," : "", profile_key(trace));
		rows_print(&counts, "%stoUInt32(%u)", i ? "," : "", resolve_count(trace));
	}
	rows_print(
		&sql,
		"INSERT INTO stacks (id, key, resolved, builds, offsets) SELECT id, "
		"transform(toString(id), [%s], [%s], toUInt64(0)), transform(toString(id), [%s], "
		"[%s], toUInt32(0)), any(builds), any(offsets) FROM stacks WHERE toString(id) IN "
		"(%s) GROUP BY id",
		rows_text(&names), rows_text(&keys), rows_text(&names), rows_text(&counts),
		rows_text(&names));
	good = server_query(resolve->server, rows_text(&sql), &answer);
	rows_free(&names);
	rows_free(&keys);
	rows_free(&counts);
	rows_free(&sql);
	rows_free(&answer);
	return good;
}

static bool resolve_stacks(const struct resolve *resolve)
{
	struct rows sql = {0}, answer = {0};
	struct resolve_ids ids = {0};
	struct fetch *fetch = fetch_open();
	size_t i;
	bool good;

	rows_print(&sql, "SELECT DISTINCT id FROM stacks ARRAY JOIN builds AS b WHERE b IN (");
	for (i = 0; i < intern_nr(resolve->builds); i++)
		rows_item(&sql, intern_at(resolve->builds, i, NULL));
	rows_print(&sql, ")");
	good = server_query(resolve->server, rows_text(&sql), &answer);
	if (good)
		resolve_each(&answer, resolve_id, &ids);
	for (i = 0; i < ids.nr; i++)
		fetch_want(fetch, ids.ids[i]);
	good = good && fetch_run(fetch, resolve->server);
	for (i = 0; good && i < ids.nr; i += PORTION)
		good = resolve_keys(resolve, fetch, ids.ids + i,
				    ids.nr - i < PORTION ? ids.nr - i : PORTION);
	for (i = 0; i < ids.nr; i++)
		free(ids.ids[i]);
	free(ids.ids);
	fetch_close(fetch);
	rows_free(&sql);
	rows_free(&answer);
	return good;
}

/* ---------------------------------------------------------------------------------------------- */

/* Frames that were named when the keys of their stacks could not be told; nobody asks again. */
static void resolve_go_on(struct resolve *resolve)
{
	char *path = spool_file(resolve->spool, "names", FLEET_FRAMES), *text, *rest, *line;

	if (!spool_read(path, &resolve->frames))
		rows_clear(&resolve->frames);
	text = rest = memory_strdup(rows_text(&resolve->frames));
	while (rest && *rest && (line = strsep(&rest, "\n")))
		(void)intern_text(resolve->builds, rows_next(&line));
	free(text);
	free(path);
}

static bool resolve_all(struct resolve *resolve)
{
	struct rows sql = {0}, answer = {0};
	bool good;

	resolve_go_on(resolve);
	resolve_ask(&sql, resolve);
	good = server_query(resolve->server, rows_text(&sql), &answer);
	if (good)
		resolve_each(&answer, resolve_frame, resolve);
	rows_free(&sql);
	rows_free(&answer);
	if (!good || !resolve->frames.length)
		return good;
	good = resolve_send(resolve) && resolve_stacks(resolve);
	if (good)
		spool_remove(resolve->spool, "names");
	return good;
}

bool resolve_names(const struct spool *spool, struct server *server, char *const *paths, size_t nr)
{
	struct resolve resolve = {.spool = spool,
				  .server = server,
				  .symbols = symbols_open(),
				  .builds = intern_open()};
	struct stackdepot_store **stores = memory_alloc((nr + 1) * sizeof(*stores));
	struct symbols_store **from = memory_alloc((nr + 1) * sizeof(*from));
	size_t i;
	bool good;

	/* One that cannot be read was complained about when it was pushed. */
	for (i = 0; i < nr; i++)
		if (!stackdepot_store_open(paths[i], &stores[i]))
			from[i] = symbols_add(resolve.symbols, stores[i]);
	rights_drop();
	good = resolve_all(&resolve);
	for (i = 0; i < nr; i++) {
		symbols_remove(from[i]);
		stackdepot_store_close(stores[i]);
	}
	symbols_close(resolve.symbols);
	intern_close(resolve.builds);
	rows_free(&resolve.frames);
	free(stores);
	free(from);
	return good;
}
