/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * recorder.h - what the files of the preload library share.
 *
 *	hooks.c hooks_new.c hooks_other.c hooks_table.c   what the program calls
 *	object.c               the life of an object: alloc, free, realloc
 *	live.c                 the table of live objects
 *	height.c               how much it has, and had at most
 *	maps.c                 what it maps itself
 *	sample.c               which objects are recorded
 *	probe.h                tracepoints where objects come and go
 *	trace.c tally.c        unwind, save, count
 *	redzone.c quarantine.c guard.c crash.c altstack.c   what finds errors
 *	tags.h                 the same by hardware
 *	error.c                what records them
 *	real.c patch.c heaps.c the allocators below, and how their functions come to the hooks
 *	modules.c              which files the frames lie in
 *	exec.c                 which programs it starts
 *	exit.c                 the end of the process, while its memory is there
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

/* --- options.c ------------------------------------------------------------------------------ */

#define RECORDER_PATH_BYTES 1024u
#define RECORDER_MIN_FRAMES 3u /* one, a mark, a process */

struct recorder_options {
	uint64_t memory_bytes;
	uint64_t control;	/* mode and value, see enum stackdepot_mode */
	uint64_t corpus_events; /* 0: no corpus */
	uint64_t quarantine_bytes;
	uint64_t guard_interval; /* one object of so many is guarded, 0: none */
	uint64_t redzone_bytes;
	uint64_t max_frames;
	enum tags_mode tags;
	bool abort_on_error;
	bool follow_children;
	bool crash_handler;
	bool look_at_exit; /* somebody wants to see what is lost then */
	bool to_stderr;
	bool to_journal; /* there, if systemd started this process and reads it */
	bool same_owner;
	bool verbose;
	bool help;
	char store[RECORDER_PATH_BYTES];
	char trouble[160]; /* the first pair that was not understood */
};

/* Read name=value pairs, separated by colons. All are read even if one is not understood; then, or
 * if a value is out of range, false, and values->trouble says which. */
bool options_parse(struct recorder_options *options, const char *text);
void options_default(struct recorder_options *options);
void options_help(void);

/* --- say.c ------------------------------------------------------------------------------------ */

/* A line, of the strings up to NULL, into the store; not to a descriptor, which may be the
 * program's. */
void say(const char *first, ...) __attribute__((sentinel));
/* The text of a number, in a buffer of the caller's. */
#define SAY_NUMBER_BYTES 24
const char *say_number(uint64_t number, char *buffer);
const char *say_hex(uint64_t number, char *buffer);

/* --- setup.c ---------------------------------------------------------------------------------- */

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
bool setup_begin(void);
/* The same in a forked child, which has a slot of its own. */
void setup_child(void);

static inline bool recorder_on(void)
{
	if (unlikely(!load_acquire(&recorder.ready)))
		return setup_begin();
	if (unlikely(!load_relaxed(&recorder_life->here))) {
		setup_child();
		return load_acquire(&recorder.ready);
	}
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

/* open() of a file of ours, whose descriptor is none of the standard ones. It is closed before the
 * program goes on. Negative errno. */
int recorder_open(const char *path, int flags);

/* --- limits.c --------------------------------------------------------------------------------- */

/* Why a store of so many bytes, and what goes with it, may be too much for the program; or NULL. */
const char *limits_memory(uint64_t bytes);
/* May the file become so large? 0 or a negative errno. */
int limits_file(int fd, uint64_t bytes);
/* Make it so large, with all its blocks. 0 or a negative errno; never a signal. */
int limits_reserve(int fd, uint64_t bytes);

/* --- attach.c --------------------------------------------------------------------------------- */

/*
 * Map the store of this name for the life of the process, made if it is not there. `head_only`:
 * only to leave notes in, if it is there. *ret_fd is the file. 0; -EBADMSG: there is another file;
 * -EPROTONOSUPPORT: a store of another version; -EPERM: somebody else's; or the negative errno of
 * what failed.
 */
int attach_store(const char *path, bool head_only, int *ret_fd);
/* In a forked child: map it again, for the mapping to be this process's own. The file, or a
 * negative errno. */
int attach_again(const char *path);
/* Before anything but the head is written to: see that the file has all of its blocks, which may
 * have been given back when nobody was there. They stay until attach_reserved(), when the process
 * has a slot. 0 or a negative errno. */
int attach_reserve(int fd);
void attach_reserved(int fd);
/* Is this the file that is mapped? */
bool attach_is_same(int fd);
/* Unmap it, but for the head. */
void attach_leave(void);
/* What lies here and nearby, in ATTACH_PIECE bytes, will be written to: one call of the kernel's
 * does for all of its pages, if the program's filters leave that. errno is kept. */
void attach_populate(const void *where);
#define ATTACH_PIECE (64u << 10)

/* --- slot.c ----------------------------------------------------------------------------------- */

/* Take a slot; FD is the store, or -1. `parent` has the command, in a forked child. 0 or -EAGAIN.
 */
int slot_begin(int fd, uint32_t flags, const struct store_process *parent);
/* Close what processes left that are gone, and fold the oldest. False if there was nothing. */
bool slot_make_room(void);
/* Only close them, if that was not tried just now: what their threads had is free then. */
bool slot_close_others(void);
/* As slot_make_room(), if not tried just now: traces that they held may be evicted then. */
bool slot_make_traces(void);

/* --- exit.c ----------------------------------------------------------------------------------- */

/* The process ends: if that was asked for, wait until it was looked at. */
void exit_look(void);

/* --- exec.c ----------------------------------------------------------------------------------- */

/* Before main(): what starting a program will need. */
void exec_setup(void);
/* This program was started by one of the run, which may have noted that: strike it out. */
void exec_arrived(void);

/* --- thread.c --------------------------------------------------------------------------------- */

/* live.c: an entry of its table, as it was read. */
struct live_object {
	uint64_t size;
	stackdepot_handle_t handle; /* extra bits: rate */
	bool bare;		    /* no redzone of ours behind it */
	uint8_t tag;		    /* of the pointer that the program has, and TAGS_TOLD */
	uint8_t displaced;	    /* live.c's: not in its home, and which way */
	struct store_entry *entry;
};

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

struct recorder_event {
	uintptr_t mark;
	uint64_t since; /* cycles, if it is timed; 0: it is not */
};

/* What is outermost in a trace as it is saved. */
enum trace_tail {
	TRACE_PLAIN,   /* the outermost frame of the walk */
	TRACE_PROCESS, /* the process, behind that */
	TRACE_CUT,     /* another frame: some were left out */
};

struct recorder_thread {
	struct recorder_event *event; /* the one that has the rest, or NULL */
	struct stackdepot_unwinder *unwinder;
	struct stackdepot_cursor cursor;
	struct stackdepot_pen pen;
	struct store_tally_set *tallies; /* in the store, or NULL */
	uint32_t without;		 /* events while there were none */
	uint32_t id;
	enum trace_tail tail;	  /* of the last trace that was saved with the cursor */
	uint32_t guesses;	  /* frames behind the mark of the last trace that had one */
	unsigned int sample_code; /* of the rate that bytes to the next sample were drawn with */
	uint64_t sample_more;	  /* of these, besides sample_left */
	uint64_t sample_piece;	  /* what sample_left began with */
	uint32_t events;	  /* recorded, to time one of some */
	uint32_t guard_left;	  /* objects to the next guarded one */
	uint64_t random;
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	const void *doubted; /* what is being freed, and not known to be live */
	stackdepot_ref_t doubt_trace;
	bool doubt_told; /* as an error already */
	void *memo;	 /* memory for whole stacks */
	size_t memo_bytes;
	struct quarantine quarantine;
};

extern __thread struct recorder_thread *recorder_thread __attribute__((tls_model("initial-exec")));

/* jit_setup() - look up what our functions of memory go on to. Not in an event. */
void jit_setup(void);

/* State of the calling thread; NULL if it has ended already or there is no memory for it. */
struct recorder_thread *thread_begin(void);
/* In a forked child: forget what is the parent's. */
void thread_child(void);
bool thread_setup(void);
/* From a state that is not 0, which is a thread's as a rule. */
uint64_t random_next(uint64_t *state);
uint64_t thread_random(struct recorder_thread *thread);
/* No room for stacks to remember: there is more, or they are forgotten. */
void thread_memo_full(struct recorder_thread *thread);
void thread_memo_forget(struct recorder_thread *thread);
uint32_t thread_id(void);

static inline struct recorder_thread *thread_self(void)
{
	struct recorder_thread *thread = recorder_thread;

	return likely((uintptr_t)thread > 1) ? thread : thread_begin();
}

/* @thread is the calling one, or NULL. */
static inline uint32_t thread_number(const struct recorder_thread *thread)
{
	if (unlikely(!thread))
		thread = recorder_thread;
	return likely((uintptr_t)thread > 1) ? thread->id : thread_id();
}

/*
 * What a thread remembers is one event's at a time: a signal handler may interrupt that and
 * allocate, or leave it by longjmp(). So the event marks a word of its own frame, which is there as
 * long as it is. NULL for an event inside another, which does without what the thread remembers.
 */
bool thread_is_taken(const struct recorder_thread *thread);

static inline uintptr_t thread_mark(const struct recorder_thread *thread,
				    const struct recorder_event *event)
{
	return ((uintptr_t)thread ^ (uintptr_t)event << 16) | 1;
}

/* --- overhead.c: is the time that recording takes to be kept low? ----------------------------- */

#define OVERHEAD_TIMED 64u /* where every object is recorded, one event of so many is timed */

extern bool overhead_on;

static inline uint64_t overhead_ticks(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#endif
}

/* The timed event ends that began then. */
void overhead_spend(uint64_t since);

static inline struct recorder_thread *thread_take(struct recorder_thread *thread,
						  struct recorder_event *event)
{
	tags_pause();
	if (unlikely(!thread || (thread->event && thread_is_taken(thread))))
		return NULL;
	event->since = 0;
	if (unlikely(load_relaxed(&overhead_on)) &&
	    (recorder_rate() || !(++thread->events % OVERHEAD_TIMED)))
		event->since = overhead_ticks() | 1;
	event->mark = thread_mark(thread, event);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	thread->event = event;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return thread;
}

static inline void thread_let(struct recorder_thread *thread, struct recorder_event *event)
{
	if (unlikely(!thread))
		return;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	thread->event = NULL;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	event->mark = 0;
	if (unlikely(event->since))
		overhead_spend(event->since);
	tags_resume();
}

/* --- trace.c ---------------------------------------------------------------------------------- */

/* The stack from `start` on, saved; 0 if that was not possible. A trace to be counted is asked for
 * with STACKDEPOT_GET. */
stackdepot_handle_t trace_save(struct recorder_thread *thread, const recorder_start *start,
			       unsigned int flags, stackdepot_ref_t *ret_ref);
/* The same for a signal context. */
stackdepot_ref_t trace_save_context(struct recorder_thread *thread, const void *context);
/* Count allocations, times 256, and their bytes. */
void trace_add(stackdepot_ref_t ref, uint64_t allocs, uint64_t bytes);

/* --- tally.c ---------------------------------------------------------------------------------- */

#define TALLY_MAX 64u /* references that are enough */

void tally_begin(struct recorder_thread *thread);
/* At an event of a thread that has none: try again, now and then. */
void tally_again(struct recorder_thread *thread);
void tally_end(struct recorder_thread *thread);
/* Let a trace have the place. False if it is not there any more. */
bool tally_enter(struct store_tally *tally, stackdepot_ref_t trace);
void tally_refill(struct store_tally *tally);
void tally_spare(struct store_tally *tally);

static inline struct store_tally *tally_place(const struct recorder_thread *thread,
					      stackdepot_handle_t handle)
{
	return &thread->tallies->tally[handle * 0x9e3779b1u >> 24];
}

/* Count an allocation of `bytes`, times `weight` / 256. */
static inline void trace_count(const struct recorder_thread *thread, stackdepot_handle_t handle,
			       stackdepot_ref_t ref, uint64_t bytes, uint64_t weight)
{
	if (unlikely(weight != 256))
		bytes = bytes * weight / 256;
	if (likely(thread && thread->tallies)) {
		struct store_tally *tally = tally_place(thread, handle);

		if (likely(tally->trace == ref && ref)) {
			store_relaxed(&tally->allocs, tally->allocs + weight);
			store_relaxed(&tally->bytes, tally->bytes + bytes);
			return;
		}
	}
	trace_add(ref, weight, bytes);
}

/* Give an object's reference back. */
static inline void trace_put(const struct recorder_thread *thread, stackdepot_handle_t handle)
{
	handle = stackdepot_set_extra_bits(handle, 0);
	if (likely(thread && thread->tallies)) {
		struct store_tally *tally = tally_place(thread, handle);

		if (likely(tally->handle == handle && handle)) {
			if (unlikely(tally->references++ == TALLY_MAX))
				tally_spare(tally);
			return;
		}
	}
	stackdepot_put_bulk(recorder.depot, stackdepot_ref(recorder.depot, handle), 1);
}

/* --- modules.c -------------------------------------------------------------------------------- */

void modules_setup(void);
/* In a forked child: the modules are the same, the store is new. */
void modules_child(void);
/* Something was unloaded; look what. */
void modules_unloaded(void);

/* --- live.c ----------------------------------------------------------------------------------- */

/* Where an address of this process is in the table. Tags are no part of it. */
static inline uint64_t live_place(uint64_t address)
{
	return (address & ENTRY_ADDRESS) << ENTRY_ADDRESS_SHIFT | recorder.place;
}

/* Can the table have it? */
static inline bool live_has_place(const void *pointer)
{
	return likely(!(tags_address(pointer) & ~ENTRY_ADDRESS));
}

static inline uint32_t live_home(const void *pointer)
{
	return store_home(live_place((uintptr_t)pointer), recorder.layout.buckets);
}

/*
 * An object with this home will be looked for, or put in: fetch its bucket meanwhile. Inlined
 * whatever the compiler thinks: a function that only prefetches looks to gcc as if it did nothing.
 */
static inline __attribute__((always_inline)) void live_prefetch(uint32_t home)
{
	__builtin_prefetch(&recorder.buckets[home], 1);
}

/*
 * Put an object in. An entry that its address has already ends here: the allocator gave the address
 * out again, so whoever freed it did not come by. False if there is no room.
 */
bool live_insert(struct recorder_thread *thread, void *pointer, uint32_t home,
		 const struct live_object *object);

enum live_state {
	LIVE_NONE,
	LIVE_TAKEN, /* it was live, and is the caller's now */
	LIVE_HELD,  /* freed before, and not given back: object says what it was */
	LIVE_OTHER, /* it has another tag than the pointer: it is somebody else's by now */
};

/*
 * Take an object that is to be freed. Its entry stays, as one that is held, until live_clear(): a
 * second free finds it, whichever thread it comes from.
 */
enum live_state live_hold(struct recorder_thread *thread, const void *pointer, uint32_t home,
			  struct live_object *ret_object);
/* Before the allocator gets the block. */
void live_clear(const void *pointer, const struct live_object *object);
/* The same, if the entry is still the one that was held: else the block is not ours to free. */
bool live_release(const void *pointer, const struct live_object *object);
/* Take it out at once; false if it is not there. */
bool live_take(struct recorder_thread *thread, const void *pointer, struct live_object *ret_object);
bool live_find(const void *pointer, struct live_object *ret_object);
/* It has been reported that something was written behind it. */
void live_tell(const struct live_object *object);
/* The store samples from the start: note what the filter has to let through. */
void live_filter_setup(void);
/* Before a mapping has an entry in this bucket. */
void live_mark_mapping(uint32_t bucket);
/* Frees of this address are to be looked at; and no longer. */
void live_filter_add(uint64_t address);
void live_filter_drop(uint64_t address);

/* Which frees are looked at: all; those that the filter lets through; or none, as none of the
 * objects was recorded so far. */
enum live_frees { LIVE_FREES_LOOKED_AT, LIVE_FREES_FILTERED, LIVE_FREES_PASS };

#define LIVE_FILTER_BYTES (1u << 16)

/* While objects are sampled from the start on: how many in the table have an address like this, in
 * one way and in another? A look at the table is a hundred times as dear as one at these. */
extern uint8_t live_filter[2][LIVE_FILTER_BYTES];
extern enum live_frees live_frees;

/* Neighbours on the heap are neighbours here: what is freed together shares cache lines. */
static inline uint8_t *live_filter_at(uint64_t address)
{
	return &live_filter[0][(address >> 4 ^ address >> 20) % LIVE_FILTER_BYTES];
}

static inline uint8_t *live_filter_too(uint64_t address)
{
	return &live_filter[1][(address >> 3) * 0x9e3779b97f4a7c15ull >> 48];
}

static inline bool live_is_filtered(uint64_t address)
{
	return !load_relaxed(live_filter_at(address)) || !load_relaxed(live_filter_too(address));
}
/* The object that contains the address, or else the nearest, live or held; of those with a tag, if
 * it is not 0. Linear in the table. */
bool live_nearest(uint64_t address, unsigned int tag, uint64_t *ret_start,
		  struct live_object *ret_object, bool *ret_held);
/* Halve the table by doubling the sampling rate, until it is half empty. */
void live_thin(void);
/*
 * There is no room for an object of this rate: sample from here on, or more coarsely. True if the
 * object is still one to record, at the rate that its handle says then.
 */
bool live_make_room(struct recorder_thread *thread, struct live_object *object);

/* --- sample.c --------------------------------------------------------------------------------- */

/* Bytes of this thread to its next sample; 0 while every object is taken, and in the beginning. */
extern __thread uint64_t sample_left __attribute__((tls_model("initial-exec")));
/* How the process was to record when they were drawn. */
extern __thread uint64_t sample_seen __attribute__((tls_model("initial-exec")));

/* Is an object surely not to be recorded? If so, its bytes are accounted for. */
static inline bool sample_skips(uint64_t size)
{
	const uint64_t *control = load_relaxed(&recorder_life->control);
	const uint64_t left = sample_left;

	/* An object of no bytes counts as one byte, elsewhere. */
	if (likely(size - 1 >= left) || unlikely(!control || load_relaxed(control) != sample_seen))
		return false;
	sample_left = left - size;
	return true;
}

#define SAMPLE_NOT (-1)

/* That of a process that has not begun. */
extern const uint64_t recorder_control_none;

/* The code of the rate that this object is to be recorded at, or SAMPLE_NOT. */
int sample_take(struct recorder_thread *thread, uint64_t size);
/* Is nothing recorded? Then the calling thread need not ask again until that changes. */
bool sample_is_off(void);
/* This process is never recorded: the calling thread need not ask again. */
void sample_never(void);
/* From here on one object in so many bytes; 0: all. */
void sample_set(uint64_t rate);
/* Were all objects of the process recorded? */
bool sample_is_full(void);
void sample_setup(void);
/* In a forked child. */
void sample_child(void);
/* Nothing is recorded from here on, or was before: nobody has to ask. */
void sample_stand_down(void);

/* --- object.c --------------------------------------------------------------------------------- */

void *object_alloc(const struct real *below, const recorder_start *start, size_t size, size_t align,
		   bool zero);
void object_free(const struct real *below, const recorder_start *start, void *pointer);
void *object_realloc(const struct real *below, const recorder_start *start, void *pointer,
		     size_t size);
size_t object_usable(const struct real *below, void *pointer);

/* The allocator has made an object by a function of its own: it is recorded as it is. */
void object_adopt(const recorder_start *start, void *pointer, size_t size);

/* An object on its way to a function of the allocator's own that ends it. */
struct object_passing {
	struct recorder_thread *thread;
	struct live_object object;
	bool known; /* it was live, and is what `object` says */
	bool doubt;
};

/* Record its end. False if it must not be carried out. */
bool object_pass(const struct real *below, const recorder_start *start, void *pointer,
		 struct object_passing *ret_passing);
/* It was carried out; or it failed, and the object is what it was. */
void object_passed(const struct object_passing *passing);
void object_stays(const struct object_passing *passing, void *pointer);

/* --- redzone.c -------------------------------------------------------------------------------- */

/* What to ask the allocator for, so that there is room behind `size` bytes. */
size_t redzone_request(const struct real *below, size_t size);
void redzone_arm(const struct real *below, void *pointer, size_t size);
/* Does the allocator have room for the object there, and what we put behind it? If not, the block
 * is another's by now. */
bool redzone_fits(const struct real *below, const void *pointer, const struct live_object *object);
/* Is it as it was left? If not, *ret_offset is where it differs and *ret_value what is there. */
bool redzone_intact(const struct real *below, const void *pointer, size_t size, size_t *ret_offset,
		    uint64_t *ret_value);

/* --- quarantine.c ------------------------------------------------------------------------------
 */

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

/* --- guard.c -----------------------------------------------------------------------------------
 */

extern uintptr_t guard_low, guard_high;

static inline bool guard_owns(const void *pointer)
{
	return (uintptr_t)pointer - guard_low < guard_high - guard_low;
}

/* Does this pointer surely belong to the allocator alone, and to nothing that is recorded? */
static inline bool live_skips(const void *pointer)
{
	const enum live_frees frees = load_relaxed(&live_frees);

	if (unlikely(tags_of(pointer)))
		return false;
	if (frees == LIVE_FREES_PASS)
		return true;
	return frees && likely(live_is_filtered((uintptr_t)pointer)) && !guard_owns(pointer);
}

void guard_setup(void);
void guard_child(void);
void *guard_alloc(struct recorder_thread *thread, const recorder_start *start, size_t size,
		  size_t align);
/* Without `start` nothing is recorded of it. */
void guard_free(const struct real *below, struct recorder_thread *thread,
		const recorder_start *start, void *pointer);
size_t guard_size(const void *pointer);
/* No object can be touched and fault while this is held; all that are guarded now can be touched.
 */
void guard_hold(void);
void guard_release(void);
/* Report the access at `address`, and let it go on. False if it is none of ours. */
bool guard_fault(struct recorder_thread *thread, uintptr_t address, const void *context,
		 unsigned int flags);

/* --- error.c -----------------------------------------------------------------------------------
 */

/* Record it, or count it if it is known; with abort_on_error this does not return. */
void error_report(const struct store_error *error);
/* Fill in threads and times of the object's last allocation and free, from the ring. */
void error_history(struct store_error *error);
/* The same of an object that had this tag; 0: whichever. */
void error_history_tagged(struct store_error *error, unsigned int tag);
/* A free by a pointer whose object is gone: its memory has another tag. */
void error_free_by_tag(struct recorder_thread *thread, stackdepot_ref_t trace, const void *pointer);
/* A free of a block that is held: certain, whoever has it. */
void error_double_free(struct recorder_thread *thread, stackdepot_ref_t trace, const void *pointer,
		       const struct live_object *object);
/*
 * A free of what is not in the table is carried out between these two. If the allocator ends the
 * program in it, that was an error; if not, it may have been one.
 */
void error_doubt_begin(struct recorder_thread *thread, stackdepot_ref_t trace, const void *pointer);
void error_doubt_end(struct recorder_thread *thread);
/* The same around a free that is an error, and recorded as one. */
void error_told_begin(struct recorder_thread *thread, const void *pointer);
void error_told_end(struct recorder_thread *thread);
/* A deadly signal of this thread: was it in such a free? Then that is recorded, and true. */
bool error_confirm(struct recorder_thread *thread, int number, const void *context);
/* Objects were allocated that are not in the table: frees of them are to be expected. */
void error_expect_foreign(void);
/* The nearest object to error->address, live or freed, written into the error. */
bool error_nearest(struct recorder_thread *thread, struct store_error *error);

/* --- altstack.c ------------------------------------------------------------------------------ */

#define RECORDER_ALTSTACK_BYTES (64u << 10)

/* Let signals of the calling thread that ask for it run in this memory; and no longer. */
void altstack_begin(void *memory);
void altstack_end(void);

/* --- crash.c ------------------------------------------------------------------------------------
 */

struct sigaction;
void crash_setup(void);
/* sigaction() as if nobody had replaced it, for signals the recorder watches too. */
void crash_real_sigaction(int number, const struct sigaction *action);

#endif
