/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* fetch.h - stacks of a fleet with their frames, as the tool shows them. */
#ifndef FLEET_FETCH_H
#define FLEET_FETCH_H

#include "profile/profile.h"
#include "server.h"

struct fetch;

struct fetch *fetch_open(void);
/* The traces go, too. */
void fetch_close(struct fetch *fetch);
/* One that is wanted, by its UUID. */
void fetch_want(struct fetch *fetch, const char *id);
/* Ask for those that are wanted and not there yet. False after a complaint. */
bool fetch_run(struct fetch *fetch, struct server *server);
/* It has no frames if the server does not know it. */
const struct profile_trace *fetch_trace(struct fetch *fetch, const char *id);

#endif
