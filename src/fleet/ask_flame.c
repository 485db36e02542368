/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* ask_flame.c - fleet flame: the page of `stackdepot flame`, of all hosts together. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/memory.h"
#include "base/status.h"
#include "fetch.h"
#include "flame/flame.h"
#include "sql.h"

#define FLAME_SECONDS SQL_DAY
#define FLAME_STACKS 20000u
#define FIGURES 5

/* A profile that no store is behind. */
struct flame_profile {
	struct profile profile;
	size_t room;
	double stores;
};

static void flame_row(struct flame_profile *flame, struct fetch *fetch, char *row)
{
	struct profile *profile = &flame->profile;
	struct profile_sums sums;
	double values[FIGURES];
	char *id = rows_next(&row), *value;
	size_t i;

	for (i = 0; i < FIGURES; i++) {
		value = rows_next(&row);
		if (!value)
			return;
		values[i] = strtod(value, NULL);
	}
	sums = (struct profile_sums){
		.bytes = values[0],
		.objects = values[1],
		.alloc_bytes = values[2],
		.allocs = values[3],
		.bytes_variance = values[4],
	};
	profile->stacks =
		memory_room(profile->stacks, profile->nr, &flame->room, sizeof(*profile->stacks));
	profile->stacks[profile->nr++] =
		(struct profile_stack){.trace = *fetch_trace(fetch, id), .sums = sums};
}

/* Each row: in the first pass its stack is wanted, in the second it has its frames. */
static void flame_rows(struct flame_profile *flame, struct fetch *fetch, const struct rows *rows)
{
	char *copy = memory_strdup(rows_text(rows)), *rest = copy, *row;

	while (*rest && (row = strsep(&rest, "\n"))) {
		if (flame)
			flame_row(flame, fetch, row);
		else if (*row)
			fetch_want(fetch, rows_next(&row));
		if (!rest)
			break;
	}
	free(copy);
}

/* What it is of, and what the figures are worth; to be freed. */
static char *flame_name(struct flame_profile *flame, const struct fleet_options *options)
{
	struct stackdepot_store_info *info = &flame->profile.info;
	bool estimated = false;
	size_t i;
	int length;

	for (i = 0; i < flame->profile.nr; i++)
		estimated |= flame->profile.stacks[i].sums.bytes_variance > 0;
	length = snprintf(info->command, sizeof(info->command), "fleet: %.100s%s%.60s%s%.60s",
			  options->service ? options->service : "all services",
			  options->version ? " " : "", options->version ? options->version : "",
			  options->host ? " on " : "", options->host ? options->host : "");
	info->command_bytes = (uint32_t)length + 1;
	info->processes = 1;
	info->state = STACKDEPOT_STORE_EXITED;
	info->mode = STACKDEPOT_MODE_FULL;
	return memory_print("%.0f store%s%s", flame->stores, flame->stores == 1 ? "" : "s",
			    estimated ? "; of some a sample was taken: figures are estimates" : "");
}

static void flame_sql(struct rows *sql, const struct fleet_options *options)
{
	rows_print(sql, "SELECT k, sum(lb + fb), sum(lo + fo), sum(ab), sum(al), sum(vb) FROM (");
	ask_latest(sql, options, ask_window(options, FLAME_SECONDS));
	rows_print(sql, ") GROUP BY k ORDER BY sum(lb + fb) DESC LIMIT %u", FLAME_STACKS);
}

static bool flame_count(struct flame_profile *flame, const struct fleet_options *options,
			struct server *server)
{
	struct rows sql = {0}, rows = {0};
	bool good;

	rows_print(&sql, "SELECT uniqExact(s) FROM (");
	ask_latest(&sql, options, ask_window(options, FLAME_SECONDS));
	rows_print(&sql, ")");
	good = server_query(server, rows_text(&sql), &rows);
	flame->stores = strtod(rows_text(&rows), NULL);
	rows_free(&sql);
	rows_free(&rows);
	return good;
}

int ask_flame(const struct fleet_options *options, struct server *server)
{
	struct flame_options page = {0};
	struct flame_profile flame = {.profile = {.symbols = NULL}};
	struct rows sql = {0}, rows = {0};
	struct fetch *fetch;
	char *who;
	int status = STATUS_FAILED;

	if (!options->output)
		return fleet_options_complain("fleet", "flame: -o FILE is missing");
	flame_sql(&sql, options);
	if (!flame_count(&flame, options, server) ||
	    !server_query(server, rows_text(&sql), &rows)) {
		rows_free(&sql);
		return STATUS_FAILED;
	}
	fetch = fetch_open();
	flame_rows(NULL, fetch, &rows);
	if (fetch_run(fetch, server)) {
		flame_rows(&flame, fetch, &rows);
		who = flame_name(&flame, options);
		page.who = who;
		status = flame_write(options->output, &flame.profile, &page);
		free(who);
	}
	free(flame.profile.stacks);
	fetch_close(fetch);
	rows_free(&sql);
	rows_free(&rows);
	return status;
}
