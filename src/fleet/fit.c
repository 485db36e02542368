/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * fit.c - a spool within its bound.
 *
 * Of the rows of two batches that have one key the later stays. Its `before_bytes` becomes that of
 * the earlier one, so growth over both is what it was. Rows that differ in their labels, as those
 * of two releases do, stay both.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/intern.h"
#include "base/memory.h"
#include "spool.h"

#define SEQ_LENGTH 26 /* "batch-" and its number, of 20 digits */

/* --- sizes ------------------------------------------------------------------------------------ */

static uint64_t fit_file_bytes(const struct spool *spool, const char *batch,
			       enum fleet_table_number table)
{
	char *path = spool_file(spool, batch, table);
	struct stat st;
	uint64_t bytes = stat(path, &st) ? 0 : (uint64_t)st.st_size;

	free(path);
	return bytes;
}

static uint64_t fit_bytes(const struct spool *spool, char **names, size_t nr)
{
	uint64_t bytes = 0;
	int table;

	while (nr--)
		for (table = 0; table < FLEET_TABLES; table++)
			bytes += fit_file_bytes(spool, names[nr], (enum fleet_table_number)table);
	return bytes;
}

/* --- merging ---------------------------------------------------------------------------------- */

struct fit_row {
	const char *row;
	size_t length;
	const char *before; /* the tail that it gets */
	size_t before_length;
};

struct fit {
	const struct fleet_table *table;
	struct intern *keys;
	struct fit_row *rows; /* numbers as of keys */
	size_t room;
};

/* Key and labels, without seq and time. */
static size_t fit_key(struct fit *fit, const char *row)
{
	const unsigned int keys = fit->table->keys;
	const char *labels = rows_at(row, keys + 2), *figures = rows_at(labels, FLEET_LABELS);
	const size_t key = (size_t)(rows_at(row, keys) - row);
	char *name;
	size_t number;

	if (!fit->table->is_timed)
		return intern(fit->keys, row, key);
	name = memory_print("%.*s%.*s", (int)key, row, (int)(figures - labels), labels);
	number = intern_text(fit->keys, name);
	free(name);
	return number;
}

static const char *fit_tail(const char *row, size_t length)
{
	const char *at = row + length;

	while (at > row && at[-1] != '\t')
		at--;
	return at;
}

static void fit_row(struct fit *fit, const char *row, size_t length)
{
	const size_t known = intern_nr(fit->keys), number = fit_key(fit, row);
	const char *tail = fit_tail(row, length);
	struct fit_row *kept;

	fit->rows = memory_room(fit->rows, number, &fit->room, sizeof(*fit->rows));
	kept = &fit->rows[number];
	if (number == known)
		*kept = (struct fit_row){.before = tail,
					 .before_length = (size_t)(row + length - tail)};
	kept->row = row;
	kept->length = length;
}

static void fit_rows(struct fit *fit, const struct rows *from)
{
	const char *at = rows_text(from);

	while (*at) {
		size_t length = strcspn(at, "\n");

		fit_row(fit, at, length);
		at += length + (at[length] == '\n');
	}
}

/* The later rows, in one. */
static void fit_merge_rows(enum fleet_table_number table, const struct rows from[2],
			   struct rows *ret_rows)
{
	struct fit fit = {.table = &fleet_tables[table], .keys = intern_open()};
	size_t i, nr;

	fit_rows(&fit, &from[0]);
	fit_rows(&fit, &from[1]);
	nr = intern_nr(fit.keys);
	for (i = 0; i < nr; i++) {
		const struct fit_row *row = &fit.rows[i];
		const char *tail = fit_tail(row->row, row->length);

		if (table == FLEET_SAMPLES) {
			rows_add(ret_rows, row->row, (size_t)(tail - row->row));
			rows_add(ret_rows, row->before, row->before_length);
		} else {
			rows_add(ret_rows, row->row, row->length);
		}
		rows_end(ret_rows);
	}
	intern_close(fit.keys);
	free(fit.rows);
}

/* How many batches a row of theirs stands for beside its own, and the first of these. */
static void fit_batch_counts(const char *row, uint64_t *ret_merged, uint64_t *ret_first)
{
	const uint64_t first = strtoull(rows_at(row, 9), NULL, 10);

	*ret_merged = strtoull(rows_at(row, 8), NULL, 10);
	*ret_first = first ? first : strtoull(rows_at(row, 1), NULL, 10);
}

/* One row: the later batch's, with what was merged into it. */
static void fit_merge_batches(const struct rows from[2], struct rows *ret_rows)
{
	uint64_t merged[2], first[2], shed;
	const char *row = rows_text(&from[1]);

	fit_batch_counts(rows_text(&from[0]), &merged[0], &first[0]);
	fit_batch_counts(row, &merged[1], &first[1]);
	shed = strtoull(rows_at(rows_text(&from[0]), 10), NULL, 10) +
	       strtoull(rows_at(row, 10), NULL, 10);
	rows_add(ret_rows, row, (size_t)(rows_at(row, 8) - row));
	rows_print(ret_rows, "%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%s", merged[0] + merged[1] + 1,
		   first[0], shed, rows_at(row, 11));
}

static bool fit_merge_table(const struct spool *spool, char **names, enum fleet_table_number table,
			    struct rows *ret_rows)
{
	struct rows from[2] = {{0}, {0}};
	bool good = true;
	int i;

	for (i = 0; i < 2; i++) {
		char *path = spool_file(spool, names[i], table);

		good = spool_read(path, &from[i]) && good;
		free(path);
	}
	if (table == FLEET_BATCHES && from[0].length && from[1].length)
		fit_merge_batches(from, ret_rows);
	else
		fit_merge_rows(table, from, ret_rows);
	rows_free(&from[0]);
	rows_free(&from[1]);
	return good;
}

/* The name is that of the later one with its last number one more: it sorts behind it. */
static char *fit_name(const char *later)
{
	return memory_print("%.*s-%lu", SEQ_LENGTH, later,
			    strtoul(later + SEQ_LENGTH + 1, NULL, 10) + 1);
}

static bool fit_place(const struct spool *spool, char **names, const char *unfinished)
{
	char *name = fit_name(names[1]), *path = memory_print("%s/%s", spool->path, name);
	bool good = !rename(unfinished, path);

	if (!good)
		complain("%s: %s", path, strerror(errno));
	if (good) {
		spool_remove(spool, names[1]);
		spool_remove(spool, names[0]);
	}
	free(path);
	free(name);
	return good;
}

/* Of the first two of NAMES one. */
static bool fit_merge(const struct spool *spool, char **names)
{
	char *unfinished = memory_print("%s/unfinished", spool->path);
	bool good;
	int table;

	spool_remove(spool, "unfinished");
	good = !mkdir(unfinished, 0700);
	for (table = 0; table < FLEET_TABLES && good; table++) {
		struct rows rows = {0};

		good = fit_merge_table(spool, names, (enum fleet_table_number)table, &rows) &&
		       spool_write(unfinished, (enum fleet_table_number)table, &rows);
		rows_free(&rows);
	}
	good = good && fit_place(spool, names, unfinished);
	free(unfinished);
	return good;
}

/* --- when one alone is too large -------------------------------------------------------------- */

/* Does a row say that there is nothing any more? It is said once, and never again. */
static bool fit_is_nothing(const struct fleet_table *table, const char *row)
{
	const char *figures = rows_at(rows_at(row, table->keys + 2), FLEET_LABELS);
	const size_t length = table->zero ? strlen(table->zero) : 0;

	return length && !strncmp(figures, table->zero, length) &&
	       (figures[length] == '\t' || figures[length] == '\n' || !figures[length]);
}

/* Of FROM what is kept; how many rows are not. */
static uint64_t fit_shed_rows(const struct fleet_table *table, const struct rows *from,
			      struct rows *ret_kept)
{
	const char *at = rows_text(from);
	uint64_t shed = 0;

	while (*at) {
		const size_t length = strcspn(at, "\n");

		if (fit_is_nothing(table, at)) {
			rows_add(ret_kept, at, length);
			rows_end(ret_kept);
		} else {
			shed++;
		}
		at += length + (at[length] == '\n');
	}
	return shed;
}

/* Other rows in the place of those of a table. False after a complaint: they are as they were. */
static bool fit_replace(const struct spool *spool, const char *batch, enum fleet_table_number table,
			const struct rows *rows)
{
	char *path = spool_file(spool, batch, table);
	char *unfinished = memory_print("%s/unfinished", spool->path);
	char *written = spool_file(spool, "unfinished", table);
	bool good = true;

	spool_remove(spool, "unfinished");
	if (!rows->length)
		(void)unlink(path);
	else
		good = !mkdir(unfinished, 0700) && spool_write(unfinished, table, rows) &&
		       !rename(written, path);
	if (!good)
		complain("%s: %s", path, strerror(errno));
	spool_remove(spool, "unfinished");
	free(path);
	free(unfinished);
	free(written);
	return good;
}

/* The batch says how many rows it has lost. */
static bool fit_say_shed(const struct spool *spool, const char *batch, uint64_t shed)
{
	char *path = spool_file(spool, batch, FLEET_BATCHES);
	struct rows old = {0}, row = {0};
	bool good = spool_read(path, &old);

	if (good && old.length) {
		const char *at = rows_at(old.text, 10);

		rows_add(&row, old.text, (size_t)(at - old.text));
		rows_print(&row, "%" PRIu64 "\t%s", (uint64_t)strtoull(at, NULL, 10) + shed,
			   rows_at(old.text, 11));
		good = fit_replace(spool, batch, FLEET_BATCHES, &row);
	}
	rows_free(&old);
	rows_free(&row);
	free(path);
	return good;
}

/* Count what would be left out of a table, or leave it out. False after a complaint. */
static bool fit_shed_table(const struct spool *spool, const char *batch,
			   enum fleet_table_number table, bool count_only, uint64_t *shed)
{
	char *path = spool_file(spool, batch, table);
	struct rows rows = {0}, kept = {0};
	bool good = spool_read(path, &rows);
	const uint64_t nr = good ? fit_shed_rows(&fleet_tables[table], &rows, &kept) : 0;

	if (nr && !count_only)
		good = fit_replace(spool, batch, table, &kept);
	*shed += good ? nr : 0;
	rows_free(&rows);
	rows_free(&kept);
	free(path);
	return good;
}

static bool fit_shed_tables(const struct spool *spool, const char *batch, bool count_only,
			    uint64_t *ret_shed)
{
	*ret_shed = 0;
	return fit_shed_table(spool, batch, FLEET_SAMPLES, count_only, ret_shed) &&
	       fit_shed_table(spool, batch, FLEET_LOST, count_only, ret_shed) &&
	       fit_shed_table(spool, batch, FLEET_PROCESSES, count_only, ret_shed);
}

/*
 * Samples, of which everything is sent again next time. Errors stay, and names, and that there is
 * nothing any more, as what is not there is not sent again.
 */
static bool fit_shed(struct spool *spool, const char *batch)
{
	uint64_t shed;
	bool good;

	if (!fit_shed_tables(spool, batch, true, &shed))
		return false;
	if (!shed)
		return true;
	/* First, so that nothing is left out that is not sent again. */
	state_forget_days(spool->state);
	good = spool_keep(spool) && fit_shed_tables(spool, batch, false, &shed);
	complain("push: the spool's bound is less than one batch: %" PRIu64
		 " rows are left out, and what they say is sent with the next",
		 shed);
	return fit_say_shed(spool, batch, shed) && good;
}

bool spool_fit(struct spool *spool)
{
	bool good = true, fits = false;
	uint64_t merged = 0;

	while (good && !fits) {
		char **names;
		size_t nr = spool_list(spool, &names);

		fits = fit_bytes(spool, names, nr) <= spool->bound || nr < 2;
		if (!fits)
			good = fit_merge(spool, names);
		else if (nr == 1 && fit_bytes(spool, names, nr) > spool->bound)
			good = fit_shed(spool, names[0]);
		merged += !fits;
		spool_list_free(names, nr);
	}
	if (merged)
		complain("push: the spool is full: of %" PRIu64 " batches the last figures are "
			 "kept, not those between; nothing of errors is left out",
			 merged + 1);
	return good;
}
