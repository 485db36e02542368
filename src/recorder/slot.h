/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* slot.h - this process in the store, and those that are gone. */
#ifndef RECORDER_SLOT_H
#define RECORDER_SLOT_H

#include "recorder.h"

/* Take a slot; FD is the store, or -1. `parent` has the command, in a forked child. 0 or -EAGAIN.
 */
int slot_begin(int fd, uint32_t flags, const struct store_process *parent);
/* Close what processes left that are gone, and fold the oldest. False if there was nothing. */
bool slot_make_room(void);
/* Only close them, if that was not tried just now: what their threads had is free then. */
bool slot_close_others(void);
/* As slot_make_room(), if not tried just now: traces that they held may be evicted then. */
bool slot_make_traces(void);

#endif
