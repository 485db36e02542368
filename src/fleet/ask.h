/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* ask.h - `stackdepot fleet`: questions to a server, one file a kind. */
#ifndef FLEET_ASK_H
#define FLEET_ASK_H

#include "options.h"
#include "tables_text.h"

/* An exit status. */
int ask_run(const struct fleet_options *options);

/* Which time is asked about: what was given, or so long before now. */
struct ask_window {
	uint64_t since;
	uint64_t until;
};
struct ask_window ask_window(const struct fleet_options *options, uint64_t seconds);

/*
 * What is live, by source and stack, at the end of a window, of those that were heard in it:
 * columns s k sv ve h lb lo fb fo ab al vb.
 */
void ask_latest(struct rows *sql, const struct fleet_options *options, struct ask_window window);

/* Ask, and show; an exit status. */
int ask_show(const struct answer *answer, const struct fleet_options *options,
	     struct server *server, const struct rows *sql);

int ask_top(const struct fleet_options *options, struct server *server);
int ask_lost(const struct fleet_options *options, struct server *server);
int ask_growth(const struct fleet_options *options, struct server *server);
int ask_diff(const struct fleet_options *options, struct server *server);
int ask_errors(const struct fleet_options *options, struct server *server);
int ask_stack(const struct fleet_options *options, struct server *server);
int ask_services(const struct fleet_options *options, struct server *server);
int ask_hosts(const struct fleet_options *options, struct server *server);
int ask_flame(const struct fleet_options *options, struct server *server);

#endif
