/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* state.c - what the last look at the stores found. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/memory.h"
#include "state.h"

/* --- records ---------------------------------------------------------------------------------- */

/* What was read from a file of a stranger: any bits may be in a number. */
static void number_check(double *number)
{
	if (!isfinite(*number) || *number < 0)
		*number = 0;
}

static void sums_check(struct record_sums *sums)
{
	double *const all[] = {&sums->live_bytes,      &sums->live_objects,   &sums->allocations,
			       &sums->allocated_bytes, &sums->recorder_bytes, &sums->threads};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		number_check(all[i]);
}

static bool state_add_store(struct state *state, const struct record_store *record)
{
	struct state_store *store;

	if (state->nr >= FIND_STORES || !memchr(record->path, 0, sizeof(record->path)))
		return false;
	state->stores = memory_room(state->stores, state->nr, &state->room, sizeof(*state->stores));
	store = &state->stores[state->nr++];
	*store = (struct state_store){.record = *record};
	sums_check(&store->record.sums);
	number_check(&store->record.store_bytes);
	number_check(&store->record.sample_bytes);
	number_check(&store->record.unrecorded);
	number_check(&store->record.errors_dropped);
	number_check(&store->record.doubts);
	if (store->record.told > BOUND_PROCESSES)
		store->record.told = BOUND_PROCESSES;
	store->processes = memory_alloc(store->record.told * sizeof(*store->processes));
	return true;
}

static bool state_add_process(struct state *state, const struct record_process *record)
{
	struct state_store *store = state->nr ? &state->stores[state->nr - 1] : NULL;
	struct state_process *process;

	if (!store || store->nr >= store->record.told ||
	    !memchr(record->command, 0, sizeof(record->command)) ||
	    !memchr(record->program, 0, sizeof(record->program)))
		return false;
	process = &store->processes[store->nr++];
	process->record = *record;
	sums_check(&process->record.sums);
	return true;
}

bool state_add(struct state *state, const struct record *record)
{
	if (record->kind == RECORD_STORE)
		return state_add_store(state, &record->store);
	return record->kind == RECORD_PROCESS && state_add_process(state, &record->process);
}

/* --- names ------------------------------------------------------------------------------------ */

/* The last PARTS parts of the path, without the suffix, clean; to be freed. */
static char *state_name(const char *path, int parts)
{
	char text[FIND_PATH_BYTES], *at = text + strlen(path), *clean;
	size_t length = strlen(path), suffix = strlen(FIND_SUFFIX);

	strcpy(text, path);
	if (length > suffix && !strcmp(text + length - suffix, FIND_SUFFIX))
		text[length - suffix] = '\0';
	while (at > text && (at[-1] != '/' || --parts > 0))
		at--;
	clean = clean_short(*at ? at : text, FIND_PATH_BYTES);
	return clean;
}

static int state_by_service(const void *a, const void *b)
{
	const struct state_store *left = a, *right = b;
	int order = strcmp(left->service, right->service);

	return order ? order : strcmp(left->record.path, right->record.path);
}

static void state_sort(struct state *state)
{
	if (state->nr)
		qsort(state->stores, state->nr, sizeof(*state->stores), state_by_service);
}

/* Those that share a name get a longer one, of so many parts. False: none did. */
static bool state_rename(struct state *state, int parts)
{
	size_t i, first, end;
	bool any = false;

	for (first = 0; first < state->nr; first = end) {
		for (end = first + 1; end < state->nr; end++)
			if (strcmp(state->stores[first].service, state->stores[end].service))
				break;
		for (i = first; i < end && end - first > 1; i++) {
			free(state->stores[i].service);
			state->stores[i].service = state_name(state->stores[i].record.path, parts);
			any = true;
		}
	}
	state_sort(state);
	return any;
}

/* Names that are equal, cleaned, to the last part are of files that are told apart by number. */
static void state_number(struct state *state)
{
	size_t i;

	for (i = 1; i < state->nr; i++)
		if (!strcmp(state->stores[i].service, state->stores[i - 1].service)) {
			char *name = memory_print("%s#%zu", state->stores[i].service, i);

			free(state->stores[i].service);
			state->stores[i].service = name;
		}
}

static void state_names(struct state *state)
{
	int parts = 1;
	size_t i;

	for (i = 0; i < state->nr; i++)
		state->stores[i].service = state_name(state->stores[i].record.path, parts);
	state_sort(state);
	while (state_rename(state, ++parts) && parts < 8)
		;
	state_number(state);
}

/* --- histories -------------------------------------------------------------------------------- */

static void history_add(struct state_history *history, double value)
{
	if (history->nr == BOUND_HISTORY)
		memmove(history->points, history->points + 1,
			--history->nr * sizeof(*history->points));
	history->points[history->nr++] = (float)value;
}

static const struct state_store *state_same(const struct state *state,
					    const struct record_store *record)
{
	size_t i;

	for (i = 0; i < state->nr; i++)
		if (state->stores[i].record.inode == record->inode &&
		    state->stores[i].record.device == record->device &&
		    !strcmp(state->stores[i].record.path, record->path))
			return &state->stores[i];
	return NULL;
}

static void store_carry(struct state_store *store, const struct state_store *before)
{
	size_t i, j;

	store->history = before->history;
	for (i = 0; i < store->nr; i++)
		for (j = 0; j < before->nr; j++)
			if (before->processes[j].record.serial == store->processes[i].record.serial)
				store->processes[i].history = before->processes[j].history;
}

static void store_point(struct state_store *store)
{
	size_t i;

	history_add(&store->history, store->record.sums.live_bytes);
	for (i = 0; i < store->nr; i++)
		history_add(&store->processes[i].history,
			    store->processes[i].record.sums.live_bytes);
}

void state_finish(struct state *next, const struct state *before, uint64_t interval_ns)
{
	const bool point = !before->point_ns || next->time_ns >= before->point_ns + interval_ns;
	size_t i;

	state_names(next);
	next->point_ns = point ? next->time_ns : before->point_ns;
	for (i = 0; i < next->nr; i++) {
		const struct state_store *same = state_same(before, &next->stores[i].record);

		if (same)
			store_carry(&next->stores[i], same);
		if (point)
			store_point(&next->stores[i]);
	}
}

void state_free(struct state *state)
{
	size_t i;

	for (i = 0; i < state->nr; i++) {
		free(state->stores[i].processes);
		free(state->stores[i].service);
	}
	free(state->stores);
	memset(state, 0, sizeof(*state));
}

/* --- asking ----------------------------------------------------------------------------------- */

const struct state_store *state_find(const struct state *state, const char *service)
{
	size_t i;

	for (i = 0; i < state->nr; i++)
		if (!strcmp(state->stores[i].service, service))
			return &state->stores[i];
	return NULL;
}

static double rest_of(double all, double told)
{
	return all > told ? all - told : 0;
}

struct record_sums state_rest(const struct state_store *store, size_t told)
{
	struct record_sums rest = store->record.sums;
	size_t i;

	for (i = 0; i < told; i++) {
		const struct record_sums *sums = &store->processes[i].record.sums;

		rest.live_bytes = rest_of(rest.live_bytes, sums->live_bytes);
		rest.live_objects = rest_of(rest.live_objects, sums->live_objects);
		rest.recorder_bytes = rest_of(rest.recorder_bytes, sums->recorder_bytes);
		rest.threads = rest_of(rest.threads, sums->threads);
	}
	return rest;
}
