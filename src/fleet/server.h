/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * server.h - a ClickHouse that is asked and told by HTTP.
 *
 * What it answers is not trusted: nothing but an empty answer acknowledges rows, an answer has a
 * bound in bytes and in time, and no other address is followed to. Credentials come from a file, go
 * into a header, and over a line that others can listen to only if that was asked for.
 */
#ifndef FLEET_SERVER_H
#define FLEET_SERVER_H

#include <stdbool.h>

#include "rows.h"

struct server_options {
	const char *url;	 /* http[s]://HOST[:PORT][/PATH] */
	const char *database;	 /* NULL: stackdepot */
	const char *credentials; /* a file: USER:PASSWORD, or a token; NULL: none */
	bool is_clickhouse;	 /* else a user and a password are as HTTP has them */
	const char *authority;	 /* a file of certificates, instead of the system's; or NULL */
	long query_seconds;	 /* that all queries of a question may take; 0: not said */
	bool plain;		 /* credentials may go over http to another host */
};

struct server;

enum server_answer {
	SERVER_TOOK,	/* it said so */
	SERVER_REFUSED, /* this, and it would again */
	SERVER_FAILED,	/* for now */
};

/* NULL after a complaint. */
struct server *server_open(const struct server_options *options);
void server_close(struct server *server);
/* What it is, for the name of a spool. */
const char *server_name(const struct server *server);
const char *server_database(const struct server *server);

/* Send a file of rows; a complaint, if it does not take them, is for the caller to make. */
enum server_answer server_insert(struct server *server, const char *table, const char *columns,
				 const char *path);
/* A file of a form. */
struct server_part {
	const char *name;
	const char *file;
	const char *bytes;
	size_t length;
};

struct server_post {
	const char *(*query)[2]; /* names and values */
	size_t nr_query;
	const char *type;     /* header; NULL if it is a form */
	const char *encoding; /* header, or NULL */
	const char *bytes;
	size_t length;
	const struct server_part *parts;
	size_t nr_parts;
};

/* To a server that is no ClickHouse, and has nothing to say when it takes it. */
enum server_answer server_post(struct server *server, const struct server_post *post);
/* Ask; rows as ClickHouse's TabSeparated. False after a complaint. */
bool server_query(struct server *server, const char *sql, struct rows *ret_rows);
/* The same of what has no answer. */
bool server_do(struct server *server, const char *sql);
/* Has it the tables of this version? Says nothing itself. */
enum server_answer server_check(struct server *server);

/* Why the last call failed, clean; in how many seconds it wants to be asked again, 0: not said. */
const char *server_error(const struct server *server);
long server_retry_after(const struct server *server);

#endif
