/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* look.h - looking at the stores by and by: when, by which worker, and what came of it. */
#ifndef AGENT_LOOK_H
#define AGENT_LOOK_H

#include "options.h"
#include "state.h"

struct look;

struct look *look_open(const struct agent_options *options);
void look_close(struct look *look);

/* What was found last. */
const struct state *look_state(const struct look *look);
/* Is that young enough to be told? */
bool look_is_fresh(const struct look *look);
/* Begin one, unless one is going on. */
void look_begin(struct look *look);
/* To be waited for; -1 if nothing is going on. */
int look_fd(const struct look *look);
/* Take what has come, and keep the times. True: one is complete. */
bool look_step(struct look *look);
/* When look_step() is due even if nothing comes; CLOCK_MONOTONIC. */
uint64_t look_due_ns(const struct look *look);
/* Is it left alone, having put an end to a worker? */
bool look_avoids(const struct look *look, uint64_t device, uint64_t inode);
/* Workers that a store put an end to. */
uint64_t look_deaths(const struct look *look);

#endif
