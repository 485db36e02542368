/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* trend.h - what stacks held over a time, of each service. */
#ifndef FLEET_TREND_H
#define FLEET_TREND_H

#include "ask.h"
#include "text/writer.h"

#define TREND_POINTS 48u

struct trend_line {
	char *service;
	double live_bytes[TREND_POINTS + 1]; /* at the begin, and at the end of each part */
};

struct trend {
	struct trend_line *lines;
	size_t nr;
	size_t room;
	uint64_t since;
	uint64_t seconds; /* of a part */
	size_t parts;
};

/* WHICH is a condition of SQL, " AND ...". False after a complaint. */
bool trend_ask(struct trend *trend, const struct fleet_options *options, struct server *server,
	       const char *which, struct ask_window window);
void trend_free(struct trend *trend);
void trend_text(const struct trend *trend);
void trend_json(struct writer *writer, const struct trend *trend);

#endif
