/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* process.h - what process.c, store.c and stand_in.c share. */
#ifndef TESTS_SCHEDULE_RUN_PROCESS_H
#define TESTS_SCHEDULE_RUN_PROCESS_H

#include "reap.h"
#include "recorder.h"
#include "run.h"
#include "thread.h"

/* Descriptors of the store: the one that a process begins with, and one that it opens later. */
#define STORE_FD(actor) (1000 + (int)(actor))
#define STORE_FD_AGAIN(actor) (2000 + (int)(actor))

/* All that is not in the store. */
struct process_image {
	char bytes[128u << 10] __attribute__((aligned(64)));
	struct run_actor actors[RUN_ACTORS];
};

void process_image_get(struct process_image *image);
void process_image_put(const struct process_image *image);

/* store.c */
void store_attach(struct recorder *ret_recorder);
void store_reaper(struct reaper *reaper, unsigned int actor);
/* The number of a stack that a handle refers to, whose frames must be whole; 0: it is gone. */
uint32_t store_trace(stackdepot_handle_t handle);
struct stackdepot_event ring_event(unsigned int actor, uint32_t number, uint64_t trace,
				   uint32_t kind);

/* stand_in.c */
struct stackdepot_unwinder *unwinder_of(unsigned int actor);
/* Nothing is remembered, and no lock is held. */
void stand_in_reset(void);
#define TRACE_FRAMES 3u
void trace_frames(uint32_t trace, uintptr_t frames[TRACE_FRAMES]);

#endif
