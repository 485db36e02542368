/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* top.h - what the parts of `stackdepot top` share. */
#ifndef TOP_H
#define TOP_H

#include "profile/snapshot.h"

enum top_order {
	TOP_BY_LIVE_BYTES,
	TOP_BY_LIVE_OBJECTS,
	TOP_BY_GROWTH,
	TOP_BY_ALLOC_BYTES,
	TOP_BY_ALLOCS,
	TOP_ORDERS
};

struct top_row {
	const struct snapshot_stack *now;
	double growth; /* a second, as the next two */
	double alloc_bytes;
	double allocs;
	double value; /* what it is sorted by */
};

struct top {
	struct profile *profile;
	struct report report; /* how frames are printed */
	struct snapshot before;
	struct snapshot now;
	double seconds; /* between the two; 0: not known, and no rates */
	bool since_start;
	double seen_running; /* when, by CLOCK_MONOTONIC; 0: never */
	bool ended;	     /* all processes have */
	struct top_row *rows;
	size_t nr;
	enum top_order order;
	char filter[64];
	bool batch;
	double interval;
	unsigned int times; /* 0: no end */
};

/* --- rows.c ----------------------------------------------------------------------------------- */

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

/* --- terminal.c ------------------------------------------------------------------------------- */

/* Take the terminal over; whatever ends the process gives it back as it was. */
bool terminal_enter(void);
void terminal_leave(void);
/* Has ctrl-Z been typed, or was the process stopped? Then stop, and when it goes on redraw. */
bool terminal_pause(void);

/* --- screen.c --------------------------------------------------------------------------------- */

/* Until the user quits. An exit status. */
int top_screen(struct top *top);

#endif
