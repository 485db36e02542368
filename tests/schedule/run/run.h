/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * run.h - a tiny store of a run, processes that record in it, and what they did.
 *
 * Each thread of the explorer stands for a process. It records by the recorder's own files: slot.c,
 * trace.c, tally.c, live.c, and the depot; what is gone is put in order by the store's: locks.c,
 * reap.c, fold.c, peak.c, recount.c. The unwinder, the allocator and the kernel are stood in for
 * (stand_in.c). A process that is killed does nothing more, and the kernel takes its locks back.
 *
 * When all threads have ended, those that live still look whether they have what they recorded,
 * and end. Then somebody comes and puts in order what they left, and store.c counts.
 */
#ifndef TESTS_SCHEDULE_RUN_RUN_H
#define TESTS_SCHEDULE_RUN_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explore.h"

#define RUN_OBJECTS 4u

/* Does it hold? If not, the program ends. */
#define VERIFY(condition)                                                          \
	do {                                                                       \
		if (!(condition))                                                  \
			explore_fail("%s:%d: %s", __func__, __LINE__, #condition); \
	} while (0)

enum run_state { RUN_NONE, RUN_COMING, RUN_LIVE, RUN_GOING, RUN_GONE };

/* What a process knows of itself, and is remembered of it when it is gone. */
struct run_actor {
	bool alive;
	bool begins, begun; /* it asked for a slot, and got one */
	bool ends;	    /* it had begun to end */
	bool ended;
	bool unrecorded;       /* there was no slot */
	bool killed_as_reaper; /* while it had that lock */
	uint32_t serial;       /* of the process in the run */
	enum run_state objects[RUN_OBJECTS];
	uint32_t traces[RUN_OBJECTS];
	uint32_t asked, counted; /* allocations that began, and that ended */
};

struct run_scenario {
	const char *name;
	uint32_t slots;
	uint32_t buckets; /* four objects each */
	uint32_t lines;
	unsigned int bound; /* preemptions, in a run of a minute */
	unsigned int kills;
	unsigned int mortal;
	void (*prepare)(void);
	void (*threads[EXPLORE_THREADS])(void);
};

/* A process for each thread; one that was killed before; and who comes when all are gone. */
#define RUN_DEAD EXPLORE_THREADS
#define RUN_LAST (EXPLORE_THREADS + 1)
#define RUN_ACTORS (EXPLORE_THREADS + 2)

extern struct run_actor run_actors[RUN_ACTORS];
extern char *run_memory; /* locks, and the store behind them */
extern size_t run_bytes;

/* What the next functions act for: the running thread, or outside of interleavings this. */
unsigned int run_self(void);
void run_be(unsigned int actor);

/* A process begins, is recorded, allocates, frees; ends as exit() does. */
void run_begin(void);
void run_alloc(uint32_t object, uint32_t trace);
void run_free(uint32_t object);
void run_end(void);
/* Its thread ends before it, or it is killed here. */
void run_is_killed(void);
/* Another comes, without a slot, as the tool does: close, and fold. */
void run_reap(bool fold);

/* In the store of the calling process, when no thread runs. */
void run_verify_own(void);
/* The size of an object of that address, and its number; false: there is none such. */
bool run_object_at(uint64_t address, uint32_t *ret_number, uint64_t *ret_size);

/* store.c */
void run_make(const struct run_scenario *scenario);
unsigned long run_explore(const struct run_scenario *scenario, unsigned int bound);

/* stand_in.c: locks of a file, as the kernel has them. */
void run_locks_drop(unsigned int actor);
bool run_locks_reaps(unsigned int actor);
#define RUN_LOCKS 64u /* words in front of the store */

extern const struct run_scenario run_scenarios[];

#endif
