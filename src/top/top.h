/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* top.h - what is known of processes that are looked at again and again. */
#ifndef TOP_TOP_H
#define TOP_TOP_H

#include "profile/snapshot.h"
#include "text/text.h"

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
	struct text_style style; /* how frames are printed */
	size_t limit;		 /* rows printed */
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

#endif
