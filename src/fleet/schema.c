/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* schema.c - statements of a file, with their words replaced, one after the other. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/complain.h"
#include "base/memory.h"
#include "schema.h"

struct schema {
	struct server *server;
	const char *cluster; /* NULL: one server */
};

/* @ENGINE TABLE VERSION@: paths of replicas are told apart by what each server is called. */
static void schema_engine(const struct schema *schema, const char *word, struct rows *sql)
{
	char table[64], version[64];

	if (sscanf(word, "ENGINE %63[a-z] %63[a-z]", table, version) != 2)
		return;
	if (schema->cluster)
		rows_print(sql,
			   "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/%s/%s', "
			   "'{replica}', %s)",
			   server_database(schema->server), table, version);
	else
		rows_print(sql, "ReplacingMergeTree(%s)", version);
}

static void schema_word(const struct schema *schema, const char *word, struct rows *sql)
{
	if (!strcmp(word, "DATABASE"))
		rows_print(sql, "%s", server_database(schema->server));
	else if (!strcmp(word, "LOCAL"))
		rows_print(sql, "%s", schema->cluster ? "_local" : "");
	else if (!strcmp(word, "CLUSTER"))
		rows_print(sql, "%s", schema->cluster);
	else if (!strcmp(word, "ON") && schema->cluster)
		rows_print(sql, "ON CLUSTER '%s'", schema->cluster);
	else
		schema_engine(schema, word, sql);
}

/* A line of a statement. */
static void schema_line(const struct schema *schema, char *line, struct rows *sql)
{
	char *word, *rest = line;
	bool is_word = false;

	while ((word = strsep(&rest, "@"))) {
		if (is_word)
			schema_word(schema, word, sql);
		else
			rows_add(sql, word, strlen(word));
		is_word = !is_word;
	}
	rows_add(sql, "\n", 1);
}

/* What follows "--" is for people. Does the line end a statement? Then it loses its semicolon. */
static bool schema_ends(char *line)
{
	char *comment = strstr(line, "--");
	size_t length;

	if (comment)
		*comment = '\0';
	length = strlen(line);
	if (!length || line[length - 1] != ';')
		return false;
	line[length - 1] = '\0';
	return true;
}

static bool schema_file(const struct schema *schema, const char *text)
{
	char *copy = memory_strdup(text), *line, *rest = copy;
	struct rows sql = {0};
	bool good = true;

	while (good && (line = strsep(&rest, "\n"))) {
		const bool ends = schema_ends(line);

		schema_line(schema, line, &sql);
		if (!ends)
			continue;
		good = server_do(schema->server, rows_text(&sql));
		rows_clear(&sql);
	}
	rows_free(&sql);
	free(copy);
	return good;
}

bool schema_apply(struct server *server, const char *cluster)
{
	const struct schema schema = {server, cluster};
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789-.";

	if (cluster && cluster[strspn(cluster, letters)]) {
		complain("fleet: --cluster cannot be '%s'", cluster);
		return false;
	}
	return schema_file(&schema, schema_tables) &&
	       (!cluster || schema_file(&schema, schema_cluster));
}
