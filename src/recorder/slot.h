/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* slot.h - this process in the store, and those that are gone. */
#ifndef RECORDER_SLOT_H
#define RECORDER_SLOT_H

#include "recorder.h"

/* Take a slot; FD is the store, or -1. `parent` has the command, in a forked child. 0 or -EAGAIN.
 */
int slot_begin(int fd, uint32_t flags, const struct store_process *parent);
enum slot_room {
	SLOT_ROOM_NONE,
	SLOT_ROOM_MADE,
	SLOT_ROOM_BUSY, /* somebody else was at it */
};

/* Close what processes left that are gone, and fold the oldest. */
enum slot_room slot_make_room(void);
/* Only close them, if that was not tried just now: what their threads had is free then. */
bool slot_close_others(void);
/* Fold them too, if that was not tried just now: traces that they held may be evicted then. */
bool slot_make_traces(void);

#endif
