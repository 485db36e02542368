/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* rows.h - rows as ClickHouse's TabSeparated has them, made and taken apart. */
#ifndef FLEET_ROWS_H
#define FLEET_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "id.h"

/* Text that grows. All zero: empty. */
struct rows {
	char *text; /* ended by a NUL; NULL if nothing was ever added */
	size_t length;
	size_t room;
	bool follows; /* a value comes behind another one of its row, or array */
};

void rows_free(struct rows *rows);
void rows_clear(struct rows *rows);
void rows_add(struct rows *rows, const char *text, size_t length);
/* The same of all that is in FROM, which is empty then. */
void rows_move(struct rows *rows, struct rows *from);
/* "" if there is nothing. */
const char *rows_text(const struct rows *rows);
/* As printf(3). */
void rows_print(struct rows *rows, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Columns: what separates one from the one before is written by itself. */
void rows_column(struct rows *rows, const char *text);
void rows_integer(struct rows *rows, uint64_t value);
/* Of the wall's clock, from 1970 on; what a store says that cannot be is the nearest that can. */
void rows_time(struct rows *rows, uint64_t seconds);
void rows_number(struct rows *rows, double value);
void rows_id(struct rows *rows, struct fleet_id id);
/* An array of texts: rows_list(rows, '['), each of rows_item(), rows_list(rows, ']'). */
void rows_list(struct rows *rows, char bracket);
void rows_item(struct rows *rows, const char *text);
void rows_item_integer(struct rows *rows, uint64_t value);
/* The row is whole. */
void rows_end(struct rows *rows);

/* TEXT as a literal of SQL, in quotes. */
void rows_quote(struct rows *rows, const char *text);

/*
 * The next column of a row in *AT, which is advanced, ended and freed of escapes in place; NULL
 * behind the last one.
 */
char *rows_next(char **at);
/* Where column number COLUMN of a row begins; its end if it has fewer. */
const char *rows_at(const char *row, unsigned int column);

#endif
