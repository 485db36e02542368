/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* rows.h - sums and rates by stack. */
#ifndef TOP_ROWS_H
#define TOP_ROWS_H

#include "top.h"

/* "live", "growth" and so on, as --sort has it; and what the key does in words. */
extern const char *const top_order_names[TOP_ORDERS];
extern const char *const top_order_texts[TOP_ORDERS];

/* Look at the process again, and make the rows. False after a complaint. */
bool top_look(struct top *top);
/* Make them of what was seen: the filter or the order is another one. */
void top_select(struct top *top);
void top_free(struct top *top);

#define TOP_HEADER_LINES 4
void top_print_header(FILE *out, const struct top *top);
void top_print_columns(FILE *out);
/* One line, without its end. */
void top_print_row(FILE *out, const struct top *top, const struct top_row *row);

#endif
