/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * world.h - a tiny depot, traces to put in it, and what the threads did with them.
 *
 * All of it is restored by a copy before each interleaving. What threads do goes through the world_
 * functions below: they note what must be true afterwards, and world_verify() looks whether it is.
 */
#ifndef TESTS_SCHEDULE_WORLD_H
#define TESTS_SCHEDULE_WORLD_H

#include "depot.h"
#include "explore.h"

#define WORLD_SLOTS 96u
#define WORLD_MAX_LINES 80u
#define WORLD_FRAMES 40u

/* Does it hold? If not, the process ends. */
#define VERIFY(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			explore_fail("%s:%d: %s", __func__, __LINE__, #condition);                 \
	} while (0)

/*
 * A trace: `parent` chooses 8 outer frames shared by all with the same number, 0 for none. Those of
 * two parents differ in the outermost two only: a line also holds the frames around its own.
 */
struct world_trace {
	u32 parent;
	u32 leaf; /* chooses the inner frames; 0: the parent's own trace */
};

#define FLAT(leaf) ((struct world_trace){0, leaf})
#define CHILD(parent, leaf) ((struct world_trace){parent, leaf})

/* Some by name. Thread t saves into slots 10 x t and on, prepare() into those from 40 on. */
#define A FLAT(1)
#define B FLAT(2)
#define C FLAT(3)
#define X FLAT(4)
#define Y FLAT(5)
#define PARENT CHILD(1, 0)
#define CHILD_1 CHILD(1, 1)
#define CHILD_2 CHILD(1, 2)
/* A parent from DEEP on has OUTER's frames outside of its own. */
#define DEEP 100u
#define OUTER CHILD(99, 0)
#define GRANDCHILD CHILD(DEEP, 1)

#define GET STACKDEPOT_GET
#define WIDE 1000u /* leaves from here on have frames of 64 bits: 6 of them in two lines */

/* The outcome of one save. */
struct world_slot {
	struct world_trace trace;
	u64 ref;	 /* 0: nothing was saved, or the save failed */
	u32 references;	 /* held by it */
	bool kept;
	bool leased;
	u64 tick; /* when it was saved: its lease cannot begin earlier */
};

struct world {
	struct world_slot slots[WORLD_SLOTS];
	struct stackdepot_cursor cursor;
	struct stackdepot_pen pens[2];
	u32 nr_slots; /* in use */
	u32 drops;
	u32 events[4]; /* for the scenario's own use */
};

extern struct world world;
extern struct stackdepot world_depot;

/* What a scenario may do that others may not. */
#define MAY_DROP 0x1u	/* saves may fail: there are moments with every line pinned or in hands */
#define MAY_BREAK 0x2u	/* leases */
#define NO_LATE 0x4u	/* is not run with store buffers: takes too long */

struct scenario {
	const char *name;
	u32 lines;
	u32 buckets;
	u32 lease_ticks;
	u32 ring_entries;
	u32 flags;
	u32 bound; /* preemptions, in a run of a minute */
	void (*prepare)(void);
	void (*threads[EXPLORE_THREADS])(void);
	void (*handlers[EXPLORE_THREADS])(void);
	void (*verify)(void); /* in addition */
};

/* world_make() - the depot of a scenario, prepared; its image is taken. */
void world_make(const struct scenario *scenario);

/* world_explore() - all interleavings of it; their number. */
unsigned long world_explore(const struct scenario *scenario, unsigned int bound, bool late);

/* world_frames() - a trace's frames; their number. */
u32 world_frames(struct world_trace trace, uintptr_t frames[WORLD_FRAMES]);

/* A leaf, from `leaf` on, whose FLAT() trace is in that bucket once the index has grown. */
u32 world_leaf_in(u32 bucket, u32 leaf);

/* Save into a slot, with stackdepot_save(). */
void world_save(u32 slot, struct world_trace trace, unsigned int flags);
void world_save_cursor(u32 slot, struct world_trace trace, unsigned int flags, u32 unchanged);
/* Give one reference of a slot back. */
void world_put(u32 slot);
/* Take one reference more to what the slot names; false if it is evicted. By handle or by ref. */
bool world_get(u32 slot);
bool world_get_handle(u32 slot);
/* Save into a slot what another one names, by its reference. */
void world_save_again(u32 slot, u32 other, unsigned int flags);
/* Take references to what a slot holds, or give them back. */
void world_get_bulk(u32 slot, u32 nr);
void world_put_bulk(u32 slot, u32 nr);
/* Fetch what the slot names: its own frames, or -ESTALE unless it is held. */
void world_fetch(u32 slot);
/*
 * Save what must get in if a line can be taken now, and the other threads of the scenario only let
 * lines go: they take and hold none.
 */
void world_save_for_sure(u32 slot, struct world_trace trace, unsigned int flags);
/* Walk what the slot names run by run; the reference of its outermost line, or 0 if it is gone. */
u64 world_walk(u32 slot);
/* Is the trace of the slot still stored? Not while threads run. */
bool world_alive(u32 slot);
u64 world_counter(enum depot_counter counter);

extern const struct scenario scenarios_again[];
extern const struct scenario scenarios_lines[];
extern const struct scenario scenarios_mixed[];
extern const struct scenario scenarios_nested[];
extern const struct scenario scenarios_ring[];

#endif
