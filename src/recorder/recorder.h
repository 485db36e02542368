/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * recorder.h - what all files of the preload library stand on.
 *
 *	hooks.c hooks_new.c hooks_other.c hooks_table.c   what the program calls
 *	object.c               the life of an object: alloc, free, realloc
 *	live.c                 the table of live objects
 *	sample.c overhead.c    which objects are recorded
 *	probe.h                tracepoints where objects come and go
 *	trace.c tally.c        unwind, save, count
 *	height.c               the highest point
 *	redzone.c quarantine.c guard.c tags*.c crash.c altstack.c   what finds errors
 *	error.c                what records them
 *	real.c patch.c heaps.c the allocators below, and how their functions come to the hooks
 *	modules.c              which files the frames lie in
 *	exec.c exit.c          which programs it starts, and its end
 *	setup.c attach.c slot.c   the store of the run, and this process in it
 *	thread.c limits.c options.c say.c   the rest of the house
 *
 * Everything here may be called from wherever a program may call malloc(), preserves errno, and
 * allocates nothing from the program's allocator. A function that differs says so.
 */
#ifndef RECORDER_H
#define RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format.h"
#include "module_table.h"
#include "options.h"
#include "real.h"
#include "stackdepot/stackdepot.h"
#include "stackdepot/store.h"
#include "stackdepot/unwind.h"

#define EXPORT __attribute__((visibility("default")))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define load_relaxed(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store_relaxed(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define fetch_add_relaxed(p, v) __atomic_fetch_add(p, v, __ATOMIC_RELAXED)

typedef struct stackdepot_unwind_start recorder_start;

struct recorder_thread; /* thread.h */

struct recorder {
	uint32_t ready;		     /* everything below can be used */
	uint32_t slot;		     /* of this process */
	uint64_t place;		     /* and what it adds to the place of an address */
	uint64_t event;		     /* and to the address in an event */
	bool begun;		     /* the program may have */
	struct store_header *head;   /* of the store, to leave notes in; NULL: out of reach */
	struct store_header *header; /* the same, if all of it is mapped */
	struct store_process *processes;
	struct store_process *process; /* this one */
	struct store_parts *parts;
	struct store_height *height;
	int64_t height_step; /* what a thread has more or less than it told, at most */
	struct module_table modules;
	uint32_t serial; /* of the process in its run */
	struct store_error *errors;
	uint32_t *corpus;
	struct store_bucket *buckets;
	uint8_t *overflow;
	struct store_large *larges;
	struct store_counter *counters;
	struct store_tally_set *tally_sets;
	struct store_layout layout;
	struct stackdepot *depot;
	struct recorder_options options;
};

extern struct recorder recorder;

/* What a fork clears: a page of the process's own, once it has begun. */
struct recorder_life {
	uint32_t here;
	uint32_t pid;
	const uint64_t *control; /* how it is to record, see sample.c */
};

extern struct recorder_life *recorder_life;

/* Begin to record, if this is the time; false while nothing is recorded. May be called at any time.
 */
__attribute__((noinline)) bool setup_begin(void);
/* The same in a forked child, which has a slot of its own. */
__attribute__((noinline)) bool setup_child(void);
/*
 * Forked by a handler that interrupted an event: that goes on in the child as well, where it ends
 * what it has begun in the parent's name. So it does that in memory which the parent does not see,
 * and nothing is recorded until it is over.
 */
__attribute__((noinline)) void setup_part(void);
/* A page of the store is gone; true if the program can go on, which is not recorded any more. For a
 * handler of SIGBUS. */
bool setup_lost(const void *address);

static inline bool recorder_on(void)
{
	if (unlikely(!load_acquire(&recorder.ready)))
		return setup_begin();
	if (unlikely(!load_relaxed(&recorder_life->here)))
		return setup_child();
	return true;
}

/* The process's figures. */
static inline struct store_counts *recorder_counts(void)
{
	return &recorder.process->counts;
}

/* Bytes from sample to sample, now; 0: every object is recorded. */
static inline uint64_t recorder_rate(void)
{
	const uint64_t all = load_relaxed(&recorder.header->sample_bytes);
	const uint64_t own = load_relaxed(&recorder.process->sample_bytes);

	return likely(all >= own) ? all : own;
}

/* The address of an event of this process: others have the same addresses. */
static inline uint64_t recorder_event_address(uint64_t address)
{
	return (address & STORE_EVENT_ADDRESS) | recorder.event;
}

/* The size of an event, and the tag of the pointer that it is about. */
static inline uint64_t recorder_event_size(const void *pointer, uint64_t size)
{
	return size | (uint64_t)tags_of(pointer) << STORE_EVENT_TAG_SHIFT;
}

/* Is the memory that of another process, as in a child of vfork()? */
bool recorder_is_borrowed(void);
uint64_t recorder_now_ns(void);
void recorder_count(uint64_t *counter, uint64_t add);
void recorder_count_tool(int64_t bytes);

/*
 * Where we work for long and leave things half done, as the program does not there: until
 * recorder_let() no handler runs in the calling thread, but of what it does itself (faults and
 * traps), and it is not cancelled.
 */
struct recorder_held {
	uint64_t mask; /* the program's */
	bool masked;
	int cancel;
};
void recorder_hold(struct recorder_held *ret_held);
void recorder_let(const struct recorder_held *held);

/* open() of a file of ours, whose descriptor is none of the standard ones. It is closed before the
 * program goes on. Negative errno. */
int recorder_open(const char *path, int flags);

#endif
