/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* push.h - stores go to the server of a fleet, by and by; `stackdepot push` does it. */
#ifndef AGENT_PUSH_H
#define AGENT_PUSH_H

#include "look.h"
#include "options.h"

struct push;

/* Never NULL; without a server it does nothing. */
struct push *push_open(const struct agent_options *options, const struct look *look);
void push_close(struct push *push);
/* Begin one if it is due, note that one has ended. */
void push_step(struct push *push);
uint64_t push_due_ns(const struct push *push);
/* How many have ended, and of these without that the server has everything. */
uint64_t push_times(const struct push *push);
uint64_t push_failures(const struct push *push);

#endif
