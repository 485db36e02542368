/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* tables_text.h - answers for people and for programs. */
#ifndef FLEET_TABLES_TEXT_H
#define FLEET_TABLES_TEXT_H

#include "options.h"
#include "server.h"

enum answer_kind {
	ANSWER_TEXT,
	ANSWER_BYTES,
	ANSWER_COUNT,
	ANSWER_TIME, /* seconds since 1970 */
	ANSWER_BOOL,
	ANSWER_STACK, /* a UUID, shown with its frames; "" or zeros: none */
};

/* A column of an answer. */
struct answer_column {
	const char *name; /* in JSON */
	const char *text; /* as printf() has it, with one %s; NULL: for programs alone */
	enum answer_kind kind;
	bool only_if_any; /* not said of 0 */
	const char *noun; /* of a count, the word for one; NULL: the number alone */
};

/* The first two members of a struct answer. */
#define ANSWER_COLUMNS(list) list, sizeof(list) / sizeof((list)[0])

struct answer {
	const struct answer_column *columns;
	size_t nr_columns;
	const char *none; /* what is said if there are no rows */
	const char *list; /* its name in JSON */
};

struct trend; /* see trend.h */

/* Show the rows of an answer, and TREND unless it is NULL. False after a complaint. */
bool answer_show(const struct answer *answer, const struct fleet_options *options,
		 struct server *server, const struct rows *rows, const struct trend *trend);

#endif
