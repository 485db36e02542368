/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* quarantine.h - small blocks wait before they are used again. */
#ifndef RECORDER_QUARANTINE_H
#define RECORDER_QUARANTINE_H

#include "live_table.h"

#define QUARANTINE_SLOTS 256u

struct quarantine_slot {
	void *pointer;
	const struct real *below; /* who gets it */
	struct live_object object;
};

struct quarantine {
	uint32_t first;
	uint32_t nr;
	uint64_t bytes;
	struct quarantine_slot slot[QUARANTINE_SLOTS];
};

/* May a block of this size be put off? */
bool quarantine_wants(const struct real *below, size_t size);
/*
 * Give the block to the thread's quarantine, and with it the reference to its allocation; the
 * oldest ones are checked and freed for it. Its entry is held.
 */
void quarantine_push(const struct real *below, struct recorder_thread *thread,
		     const recorder_start *start, void *pointer, const struct live_object *object);
/* The block goes back to the allocator now, if it waits in this thread's; false if not. */
bool quarantine_give_up(struct recorder_thread *thread, void *pointer);
/* The thread ends: its blocks wait on without it. */
void quarantine_drain(struct recorder_thread *thread);
/* Free all without looking, in a forked child. */
void quarantine_abandon(struct recorder_thread *thread);

#endif
