/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * collect.c - what of a store is new.
 *
 * A store is read twice if processes of it run: what ended ones left, then what the others hold. A
 * process that ends in between would be in neither, so it is done again then.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apart.h"
#include "base/clean.h"
#include "base/complain.h"
#include "base/intern.h"
#include "base/memory.h"
#include "base/rights.h"
#include "collect.h"
#include "export/export.h"
#include "labels.h"
#include "place.h"
#include "profile/alive.h"
#include "profile/profile.h"
#include "stacks.h"
#include "text/text.h"

#define READ_TRIES 3
#define DAY_SECONDS 86400u
#define PUSH_BYTES ((uint64_t)256 << 20)
#define PROGRAM_BYTES 256
#define NOTES 16u

struct source {
	const struct collect *collect;
	struct profile *profile;
	struct stacks stacks;
	char id[FLEET_ID_TEXT];
	struct rows labels; /* columns */
	bool is_new;
	bool relabelled;
	bool full;	   /* send what is as it was, too */
	bool lost_unknown; /* nobody could look: what was lost before is not told to be gone */
};

/* --- rows ------------------------------------------------------------------------------------- */

static void put_row(const struct source *source, enum fleet_table_number table,
		    const struct state_row *row)
{
	const struct collect *collect = source->collect;
	struct rows *rows = &collect->tables[table];

	rows_print(rows, "%s%s%s\t%" PRIu64 "\t%" PRIu64 "\t%s\t%s", row->source,
		   *row->key ? "\t" : "", row->key, collect->state->seq, collect->time,
		   rows_text(&source->labels), row->figures);
	if (fleet_tables[table].has_tail)
		rows_print(rows, "\t%s", row->tail);
	rows_end(rows);
}

/*
 * What it was before. A source's first figures, and the first of a release, are where growth
 * begins; what comes later begins at nothing.
 */
static void put_before(const struct source *source, struct state_row *row, const char *figures,
		       bool is_new)
{
	const bool begins = source->is_new || source->relabelled;
	const char *before = begins ? figures : is_new ? "0" : row->figures;
	char *number = strndup(before, strcspn(before, "\t"));

	if (!number)
		memory_out();
	free(row->tail);
	row->tail = number;
}

/* When its count was seen to grow. */
static void put_last_seen(const struct source *source, struct state_row *row, bool changed)
{
	if (!changed)
		return;
	free(row->tail);
	row->tail = memory_print("%" PRIu64, source->collect->time);
}

static void put(const struct source *source, enum fleet_table_number table, const char *key,
		const struct rows *figures)
{
	const char *now = rows_text(figures);
	bool is_new, changed;
	struct state_row *row = state_row(source->collect->state, table, source->id, key, &is_new);

	row->here = true;
	changed = is_new || strcmp(row->figures, now);
	if (!changed && !source->full)
		return;
	if (table == FLEET_SAMPLES)
		put_before(source, row, now, is_new);
	else if (table == FLEET_ERRORS)
		put_last_seen(source, row, changed);
	state_set(&row->figures, now);
	put_row(source, table, row);
}

/* Rows of this source that were there and are not: they are told to be nothing. */
static void put_gone(const struct source *source)
{
	struct state *state = source->collect->state;
	size_t i, nr = intern_nr(state->keys);

	for (i = 0; i < nr; i++) {
		struct state_row *row = &state->rows[i];
		const struct fleet_table *table = &fleet_tables[row->table];
		const bool here = row->here;

		row->here = false;
		if (here || row->gone || strcmp(row->source, source->id) ||
		    row->table == FLEET_ERRORS ||
		    (row->table == FLEET_LOST && (!source->collect->lost || source->lost_unknown)))
			continue;
		row->gone = row->touched = true;
		if (!table->zero)
			continue;
		if (row->table == FLEET_SAMPLES)
			put_before(source, row, table->zero, false);
		state_set(&row->figures, table->zero);
		put_row(source, row->table, row);
	}
}

/* --- stacks and frames ------------------------------------------------------------------------ */

/* A stack or a frame; with the day on which it was met, as it is not kept for ever. */
static bool name_is_new(const struct collect *collect, enum fleet_table_number table,
			const char *key)
{
	bool is_new;
	struct state_row *row = state_row(collect->state, table, "", key, &is_new);

	free(row->tail);
	row->tail = memory_print("%" PRIu64, collect->time / DAY_SECONDS);
	return is_new;
}

static void frame_put(const struct collect *collect, const struct symbol_frame *frame,
		      const struct place *place)
{
	struct rows *rows = &collect->tables[FLEET_FRAMES];
	char *key = memory_print("%s\t%" PRIu64, place->build, place->offset);
	const bool is_new = name_is_new(collect, FLEET_FRAMES, key);

	free(key);
	if (!is_new)
		return;
	place_row(rows, frame, place);
}

static void stack_lists(const struct collect *collect, const struct profile_trace *trace)
{
	struct rows *rows = &collect->tables[FLEET_STACKS];
	struct place *places = memory_alloc((trace->nr + 1) * sizeof(*places));
	unsigned int i;

	rows_list(rows, '[');
	for (i = 0; i < trace->nr; i++) {
		places[i] = place_of(trace->frames[i]);
		rows_item(rows, places[i].build);
		frame_put(collect, symbols_frame(trace->frames[i]), &places[i]);
	}
	rows_list(rows, ']');
	rows_list(rows, '[');
	for (i = 0; i < trace->nr; i++) {
		rows_item_integer(rows, places[i].offset);
		free(places[i].build);
	}
	rows_list(rows, ']');
	free(places);
}

/* One that the server does not know, with its frames. */
static struct fleet_id stack_put(const struct collect *collect, const struct profile_trace *trace)
{
	const struct fleet_id id = place_stack(trace);
	struct rows *rows = &collect->tables[FLEET_STACKS];
	char text[FLEET_ID_TEXT];
	unsigned int i, resolved = 0;

	fleet_id_print(id, text);
	if (!name_is_new(collect, FLEET_STACKS, text))
		return id;
	for (i = 0; i < trace->nr; i++)
		resolved += place_resolved(symbols_frame(trace->frames[i])) != 0;
	rows_column(rows, text);
	rows_integer(rows, trace->nr ? profile_key(trace) : id.low);
	rows_integer(rows, resolved);
	stack_lists(collect, trace);
	rows_end(rows);
	return id;
}

/* --- figures ---------------------------------------------------------------------------------- */

static void add_stacks(struct source *source, enum stacks_part part)
{
	size_t i;

	for (i = 0; i < source->profile->nr; i++) {
		const struct profile_stack *stack = &source->profile->stacks[i];

		stacks_add(&source->stacks, stack_put(source->collect, &stack->trace), part,
			   &stack->sums);
	}
}

static void put_samples(struct source *source)
{
	struct rows figures = {0};
	char key[FLEET_ID_TEXT];
	size_t i;

	for (i = 0; i < source->stacks.nr; i++) {
		const struct stacks_one *one = &source->stacks.list[i];
		const struct profile_sums *live = &one->live, *left = &one->left;

		rows_clear(&figures);
		rows_number(&figures, live->bytes);
		rows_number(&figures, live->objects);
		rows_number(&figures, left->bytes);
		rows_number(&figures, left->objects);
		rows_number(&figures, live->alloc_bytes);
		rows_number(&figures, live->allocs);
		rows_number(&figures, live->bytes_variance + left->bytes_variance);
		rows_number(&figures, live->objects_variance + left->objects_variance);
		fleet_id_print(one->id, key);
		put(source, FLEET_SAMPLES, key, &figures);
	}
	rows_free(&figures);
}

/* By the wall's clock, as whoever met the error has both; another of the store, if he is folded. */
static uint64_t wall_seconds(const struct profile *profile, const struct stackdepot_error *error)
{
	const struct stackdepot_store_info *info = &profile->processes[0].info;
	size_t i;

	for (i = 0; i < profile->nr_processes; i++)
		if (profile->processes[i].info.serial == error->process)
			info = &profile->processes[i].info;
	return (info->start_ns + error->time_ns - info->start_monotonic_ns) / 1000000000u;
}

static void put_error(const struct source *source, const struct profile_error *found)
{
	const struct stackdepot_error *error = &found->error;
	struct rows figures = {0};
	char key[FLEET_ID_TEXT];

	fleet_id_print(place_error(found), key);
	rows_column(&figures, stackdepot_error_name(error->kind));
	rows_integer(&figures, (error->flags & STACKDEPOT_ERROR_DOUBTFUL) != 0);
	rows_integer(&figures, error->signal);
	rows_id(&figures, stack_put(source->collect, &found->access));
	rows_id(&figures, stack_put(source->collect, &found->alloc));
	rows_id(&figures, stack_put(source->collect, &found->free));
	rows_integer(&figures, error->count);
	rows_integer(&figures, error->processes);
	rows_time(&figures, wall_seconds(source->profile, error));
	put(source, FLEET_ERRORS, key, &figures);
	rows_free(&figures);
}

static void put_errors(const struct source *source)
{
	const struct profile *profile = source->profile;
	size_t i;

	for (i = 0; i < profile->nr_errors; i++)
		put_error(source, &profile->errors[i]);
	for (i = 0; i < profile->nr_doubts; i++)
		put_error(source, &profile->doubts[i]);
}

/* Of the command the file alone: arguments may be secrets. */
static void put_program(struct rows *figures, const struct stackdepot_store_info *info)
{
	const char *slash = strrchr(info->command, '/');
	char *name = clean_short(slash ? slash + 1 : info->command, PROGRAM_BYTES);

	rows_column(figures, name);
	free(name);
}

static void put_process(const struct source *source, const struct profile_process *process)
{
	const struct stackdepot_store_info *info = &process->info;
	struct rows figures = {0};
	char key[16];

	snprintf(key, sizeof(key), "%u", info->serial);
	rows_integer(&figures, info->pid);
	rows_integer(&figures, info->parent);
	rows_integer(&figures, info->processes);
	put_program(&figures, info);
	rows_column(&figures, text_state(info));
	rows_number(&figures, (int32_t)info->wait_status);
	rows_time(&figures, info->start_ns / 1000000000u);
	rows_column(&figures, text_mode(info));
	rows_integer(&figures, info->sample_bytes);
	rows_number(&figures, process->live.bytes);
	rows_number(&figures, process->live.objects);
	rows_number(&figures, process->live.alloc_bytes);
	rows_number(&figures, process->live.allocs);
	rows_integer(&figures, process->errors);
	put(source, FLEET_PROCESSES, key, &figures);
	rows_free(&figures);
}

/* What the recorder had to say, and programs that it did not get into; how many of these. */
static uint32_t put_notes(struct rows *notes, struct stackdepot_store *store)
{
	struct stackdepot_note note;
	struct stackdepot_start start;
	uint64_t position = 0;
	uint32_t nr = 0, missing = 0;

	while (nr++ < NOTES && stackdepot_store_next_note(store, &position, &note)) {
		char *text = clean_text(note.text);

		rows_item(notes, text);
		free(text);
	}
	for (position = 0; stackdepot_store_next_start(store, &position, &start);) {
		missing += start.missing;
		if (start.missing && nr++ < NOTES) {
			const char *why = stackdepot_start_reason(start.reason);
			char *said = memory_print("not recorded: %s%s%s", start.path,
						  *why ? ": " : "", why);
			char *text = clean_text(said);

			rows_item(notes, text);
			free(text);
			free(said);
		}
	}
	return missing;
}

static void put_source_sums(const struct source *source, struct rows *figures)
{
	struct profile_sums live = {0}, left = {0};
	size_t i;

	for (i = 0; i < source->stacks.nr; i++) {
		profile_sums_add(&live, &source->stacks.list[i].live);
		profile_sums_add(&left, &source->stacks.list[i].left);
	}
	rows_integer(figures, source->stacks.nr);
	rows_number(figures, live.bytes);
	rows_number(figures, live.objects);
	rows_number(figures, left.bytes);
	rows_number(figures, left.objects);
	rows_number(figures, live.alloc_bytes);
	rows_number(figures, live.allocs);
}

static uint64_t error_times(const struct profile_error *errors, size_t nr)
{
	uint64_t times = 0;

	while (nr)
		times += errors[--nr].error.count;
	return times;
}

static void put_source(const struct source *source, const char *file)
{
	const struct profile *profile = source->profile;
	const struct stackdepot_store_info *info = &profile->info;
	struct rows figures = {0}, notes = {0};
	char *path = clean_text(file);
	uint32_t missing = put_notes(&notes, profile->stores[0].store);

	rows_column(&figures, path);
	rows_integer(&figures, profile_running(profile));
	rows_integer(&figures, info->processes);
	rows_integer(&figures, info->sample_bytes);
	put_source_sums(source, &figures);
	rows_integer(&figures, error_times(profile->errors, profile->nr_errors));
	rows_integer(&figures, error_times(profile->doubts, profile->nr_doubts));
	rows_integer(&figures, info->errors_dropped);
	rows_integer(&figures, info->unrecorded);
	rows_integer(&figures, info->stackless);
	rows_integer(&figures, info->processes_dropped);
	rows_integer(&figures, missing);
	rows_list(&figures, '[');
	rows_add(&figures, rows_text(&notes), notes.length);
	rows_list(&figures, ']');
	put(source, FLEET_SOURCES, "", &figures);
	rows_free(&figures);
	rows_free(&notes);
	free(path);
}

/* --- lost objects ----------------------------------------------------------------------------- */

/* NULL after a complaint: nobody could look. */
static struct profile *lost_open(const struct source *source, const char *path)
{
	char *names[] = {(char *)(uintptr_t)path};
	const struct targets targets = {
		.names = names, .nr = 1, .lost = true, .symbols = source->profile->symbols};

	return profile_open(&targets, NULL);
}

static void put_lost(const struct source *source, const struct profile *lost)
{
	struct rows figures = {0};
	char key[FLEET_ID_TEXT];
	size_t i;

	for (i = 0; lost && i < lost->nr; i++) {
		const struct profile_stack *stack = &lost->stacks[i];

		rows_clear(&figures);
		rows_number(&figures, stack->sums.bytes);
		rows_number(&figures, stack->sums.objects);
		rows_number(&figures, stack->lost_bytes);
		rows_number(&figures, stack->lost_objects);
		fleet_id_print(stack_put(source->collect, &stack->trace), key);
		put(source, FLEET_LOST, key, &figures);
	}
	rows_free(&figures);
}

/* --- who it is -------------------------------------------------------------------------------- */

static void source_labels(struct source *source, const char *path)
{
	const struct labels *labels = &source->collect->labels;
	char *service = labels_service(labels, path), *version = labels_version(labels, path);

	rows_column(&source->labels, service);
	rows_column(&source->labels, labels->host);
	rows_column(&source->labels, version);
	rows_column(&source->labels, labels->boot);
	free(service);
	free(version);
}

/* A file: the machine, where it lies, and when it was made, as a name may be used again. */
static void source_identify(struct source *source, const char *path)
{
	char *machine = labels_line(fopen("/etc/machine-id", "re")), *real = realpath(path, NULL);
	struct fleet_id id = fleet_id_begin();
	struct statx st = {0};

	(void)statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &st);
	fleet_id_text(&id, machine);
	fleet_id_text(&id, source->collect->labels.host);
	fleet_id_text(&id, real ? real : path);
	fleet_id_number(&id, st.stx_ino);
	fleet_id_number(&id, st.stx_mask & STATX_BTIME ? (uint64_t)st.stx_btime.tv_sec : 0);
	fleet_id_number(&id, st.stx_mask & STATX_BTIME ? st.stx_btime.tv_nsec : 0);
	fleet_id_print(id, source->id);
	free(machine);
	free(real);
}

/* Is it known, under these labels, and was all of it sent today? */
static void source_compare(struct source *source)
{
	struct state_source *known = state_source(source->collect->state, source->id);
	const uint64_t day = source->collect->time / DAY_SECONDS;

	source->is_new = !*known->labels;
	source->relabelled = !source->is_new && strcmp(known->labels, rows_text(&source->labels));
	source->full = source->is_new || source->relabelled || known->day != day;
	known->day = day;
	state_set(&known->labels, rows_text(&source->labels));
}

/* --- reading ---------------------------------------------------------------------------------- */

/* What ended processes left, then what those hold that run. */
static bool source_read_parts(struct source *source)
{
	struct profile *profile = source->profile;

	profile->ended_only = true;
	profile->running_only = false;
	if (!profile_refresh(profile))
		return false;
	add_stacks(source, STACKS_LEFT);
	profile->ended_only = false;
	profile->running_only = true;
	if (!profile_refresh(profile))
		return false;
	export_add_evicted(profile);
	add_stacks(source, STACKS_LIVE);
	return true;
}

static bool source_read(struct source *source)
{
	struct profile *profile = source->profile;
	size_t running = profile_running(profile);
	int tries;

	for (tries = 0; running && tries < READ_TRIES; tries++) {
		stacks_free(&source->stacks);
		if (!source_read_parts(source))
			return false;
		if (profile_running(profile) == running)
			return true;
		running = profile_running(profile);
	}
	stacks_free(&source->stacks);
	profile->running_only = profile->ended_only = false;
	if (!profile_refresh(profile))
		return false;
	export_add_evicted(profile);
	add_stacks(source, running ? STACKS_LIVE : STACKS_ALL_LEFT);
	return true;
}

static void source_put(struct source *source, const struct profile *lost, const char *path)
{
	size_t i;

	source_compare(source);
	put_samples(source);
	put_errors(source);
	for (i = 0; i < source->profile->nr_processes; i++)
		put_process(source, &source->profile->processes[i]);
	put_lost(source, lost);
	put_gone(source);
	source->full = true;
	put_source(source, path);
}

/* All that takes the rights of this process; then they are given up. */
static bool source_open(struct source *source, const char *name, char **ret_path,
			struct profile **ret_lost)
{
	char *names[] = {(char *)(uintptr_t)name}, *path = labels_path(name);
	const struct targets targets = {.names = names, .nr = 1};

	source->profile = profile_open(&targets, NULL);
	if (!source->profile) {
		if (strcmp(name, path))
			complain("%s is %s", name, path);
		free(path);
		return false;
	}
	source_identify(source, path);
	source_labels(source, path);
	if (source->collect->lost && profile_running(source->profile)) {
		*ret_lost = lost_open(source, name);
		source->lost_unknown = !*ret_lost;
	}
	*ret_path = path;
	rights_drop();
	return true;
}

/* --- a process of its own --------------------------------------------------------------------- */

struct part {
	const struct collect *collect;
	const char *name;
};

/* Rows that are new, each table's behind its length, and then what the state is now. */
static bool part_tell(const struct collect *collect, FILE *out)
{
	int i;

	for (i = 0; i < FLEET_TABLES; i++) {
		fprintf(out, "%zu\n", collect->tables[i].length);
		fwrite(rows_text(&collect->tables[i]), 1, collect->tables[i].length, out);
	}
	state_write_changes(collect->state, out);
	return !ferror(out);
}

/* Nothing is released: the process ends. */
static bool part_read(void *context, FILE *out)
{
	const struct part *part = context;
	struct rows tables[FLEET_TABLES] = {{0}};
	struct collect collect = *part->collect;
	struct source source = {.collect = &collect};
	struct profile *lost = NULL;
	char *path;

	collect.tables = tables;
	state_begin_changes(collect.state);
	if (!source_open(&source, part->name, &path, &lost) || !source_read(&source))
		return false;
	source_put(&source, lost, path);
	return part_tell(&collect, out);
}

static bool part_take_table(struct rows *rows, FILE *file)
{
	char part[65536];
	size_t length, nr;

	if (fscanf(file, "%zu", &length) != 1 || getc(file) != '\n')
		return false;
	for (; length; length -= nr) {
		nr = fread(part, 1, length < sizeof(part) ? length : sizeof(part), file);
		if (!nr)
			return false;
		rows_add(rows, part, nr);
	}
	return true;
}

/* If the state is not what the rows say, all of it is sent again. */
static bool part_take(const struct collect *collect, FILE *file)
{
	struct rows tables[FLEET_TABLES] = {{0}};
	bool good = true;
	int i;

	for (i = 0; i < FLEET_TABLES; i++)
		good = good && part_take_table(&tables[i], file);
	if (good && !state_read_changes(collect->state, file)) {
		state_forget_days(collect->state);
		good = false;
	}
	for (i = 0; i < FLEET_TABLES; i++) {
		if (good)
			rows_move(&collect->tables[i], &tables[i]);
		rows_free(&tables[i]);
	}
	return good;
}

/* What is told at once is held in memory: what is too much waits, but is not kept out by itself. */
static bool part_fits(const struct collect *collect, FILE *file)
{
	uint64_t bytes = 0;
	struct stat st;
	int i;

	for (i = 0; i < FLEET_TABLES; i++)
		bytes += collect->tables[i].length;
	return !bytes || (!fstat(fileno(file), &st) && bytes + (uint64_t)st.st_size <= PUSH_BYTES);
}

bool collect_store(const struct collect *collect, const char *name)
{
	struct part part = {collect, name};
	char *path = labels_path(name);
	FILE *file = apart_run(part_read, &part, collect->memory_bytes, path);
	const bool fits = file && part_fits(collect, file);
	const bool good = fits && part_take(collect, file);

	if (file && !fits)
		complain("%s: there is much to tell: it comes with the next push", path);
	else if (file && !good)
		complain("%s: what was read of it came back damaged", path);
	if (file)
		(void)fclose(file);
	free(path);
	return good;
}
