/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The reader of store files, in which `stackdepot run` records what a program allocates.
 *
 * A store can be read while it is written, after the program has ended, and after it was killed. It
 * is not trusted: whatever the file holds, these functions return errors or nonsense, and never
 * fault (but for a file that is truncated while it is open). While the program runs each record
 * read is whole, and the set of them is not a snapshot.
 *
 * None of these functions may be called from a signal handler. One store is for one thread at a
 * time.
 */
#ifndef STACKDEPOT_STORE_H
#define STACKDEPOT_STORE_H

#include "stackdepot.h"

#ifdef __cplusplus
extern "C" {
#endif

struct stackdepot_store;

/**
 * stackdepot_store_open() - open a store for reading.
 * @path:      of the file.
 * @ret_store: untouched on failure.
 *
 * Return: 0, -EBADMSG (not a store, or damaged), -EPROTONOSUPPORT (of another version), -ENODATA (a
 * store whose recorder has not finished setting it up), -ENOMEM, or the negative errno of open or
 * mmap.
 */
STACKDEPOT_API int stackdepot_store_open(const char *path, struct stackdepot_store **ret_store);

/* stackdepot_store_close() - release it; NULL is allowed. What it returned pointers to goes too. */
STACKDEPOT_API void stackdepot_store_close(struct stackdepot_store *store);

/* stackdepot_store_depot() - its traces and its ring, to fetch from; belongs to the store. */
STACKDEPOT_API struct stackdepot *stackdepot_store_depot(struct stackdepot_store *store);

/* What is known of the end of a process. */
enum stackdepot_store_state {
	STACKDEPOT_STORE_RUNNING = 1,  /* or killed, and nobody has noticed yet */
	STACKDEPOT_STORE_EXITED = 2,   /* it has run its destructors; status not known */
	STACKDEPOT_STORE_ENDED = 3,    /* wait_status holds its status, as wait() has it */
	STACKDEPOT_STORE_REPLACED = 4, /* the process goes on as another program, by exec() */
	STACKDEPOT_STORE_VANISHED = 5, /* it was found gone, killed as a rule */
};

/* How a process is recorded, and what the value that goes with it is. */
enum stackdepot_mode {
	STACKDEPOT_MODE_FULL = 1,     /* every object */
	STACKDEPOT_MODE_SAMPLE = 2,   /* one in so many bytes on average */
	STACKDEPOT_MODE_OFF = 3,      /* nothing */
	STACKDEPOT_MODE_OVERHEAD = 4, /* as many as take so many thousandths of a percent of the
					 CPU time */
};

#define STACKDEPOT_STORE_OFF 0x2u	  /* for some time nothing was recorded */
#define STACKDEPOT_STORE_CHILD 0x1u	  /* forked; older objects are its parent's */
#define STACKDEPOT_STORE_UNSEEN 0x8u	  /* memory that is recorded changes hands unseen, too */
#define STACKDEPOT_STORE_UNRECORDED 0x10u /* nothing was recorded; a note says why */

#define STACKDEPOT_STORE_HEAPS 32
#define STACKDEPOT_STORE_COMMAND 264 /* bytes of a command that are kept */

/* An allocator that the recorder does not see, and the file that it is in. */
struct stackdepot_store_heap {
	char allocator[32]; /* empty: none */
	char module[96];
};

/**
 * struct stackdepot_store_info - a process of a run, or all of them, and how they were recorded.
 * @serial:    of the process in the run, from 1; for all of them that of the first.
 * @processes: that it is about: 1, or more for all, and for a row of processes that are gone, of
 *             one command, for which there was no room to be kept apart.
 * @present:   1: the process is there, 0: it is gone, -1: its number may tell.
 * @heaps:     a bit for each of `unseen` that it has.
 *
 * Times are nanoseconds: start_ns since 1970, the others of CLOCK_MONOTONIC. Figures from
 * total_bytes to live_entries, and evicted, are of the store.
 */
struct stackdepot_store_info {
	uint32_t serial;
	uint32_t processes;
	int32_t present;
	uint32_t heaps;
	uint32_t pid;
	uint32_t parent;
	uint64_t start_ns;
	uint64_t start_monotonic_ns;
	uint64_t end_monotonic_ns; /* 0: not known */
	uint64_t pid_namespace;	   /* inode of the one that pid is of, 0: not known */
	uint64_t start_ticks;	   /* as /proc/PID/stat has it, 0: not known */
	uint64_t recorder_end;	   /* where the variables of the preload library end */
	uint32_t state;		   /* enum stackdepot_store_state */
	uint32_t wait_status;
	uint32_t flags; /* STACKDEPOT_STORE_* */
	uint32_t command_bytes;
	char command[STACKDEPOT_STORE_COMMAND + 1]; /* arguments, each ended by a NUL */

	uint64_t total_bytes;	   /* size of the store, fixed */
	uint64_t sample_bytes;	   /* a sample, on average, at most; 0: all were recorded */
	uint64_t sample_now_bytes; /* and as it is now */
	uint32_t mode;		   /* enum stackdepot_mode, of this process, and its value */
	uint64_t mode_value;
	uint64_t cpu_ns; /* CPU time for which a share of it was kept, and what recording took */
	uint64_t recorder_ns;
	uint64_t live_entries; /* capacity of that table, in objects */
	uint64_t thinnings;    /* times it was thinned */
	double allocs;	       /* ever */
	double alloc_bytes;
	double left_objects; /* at the end of processes that are not told apart any more */
	double left_bytes;
	uint64_t unrecorded;	 /* objects it had no room for */
	uint64_t foreign_frees;	 /* frees of objects that were never seen, passed on */
	uint64_t doubts;	 /* of these and of errors, those that may be none */
	uint64_t errors_seen;	 /* repeated ones too */
	uint64_t errors_dropped; /* of these, not kept */
	uint64_t stackless;	 /* events without a trace */
	uint64_t nested;	 /* events from a signal handler inside an event */
	uint64_t guarded;	 /* objects placed between guard pages */
	uint64_t quarantined;	 /* blocks whose reuse was put off */
	uint64_t threads;	 /* now, and at most in one process */
	uint64_t threads_peak;
	uint64_t tool_bytes; /* besides the store: now, and at most in one process */
	uint64_t tool_bytes_peak;
	uint64_t modules_dropped;
	uint64_t heaps_dropped;	    /* processes with some that have no room in `unseen` */
	uint64_t processes_dropped; /* that were too many at a time to have a slot */
	uint64_t notes_dropped;	    /* notes and starts that found no room */
	uint64_t starts_dropped;
	struct stackdepot_store_heap unseen[STACKDEPOT_STORE_HEAPS];
	double evicted_allocs; /* allocations whose trace was evicted since, and their bytes */
	double evicted_bytes;
};

/* stackdepot_store_get_info() - of all processes; who it was is that of the first. */
STACKDEPOT_API void stackdepot_store_get_info(struct stackdepot_store *store,
					      struct stackdepot_store_info *ret_info);

/**
 * stackdepot_store_next_process() - the processes of the run, those that are gone too.
 * @position: 0 to begin; advanced by the call.
 *
 * Return: 1 with @ret_info filled, or 0 at the end.
 */
STACKDEPOT_API int stackdepot_store_next_process(struct stackdepot_store *store, uint64_t *position,
						 struct stackdepot_store_info *ret_info);

/**
 * struct stackdepot_object - an object that was not freed.
 * @weight:  so many objects it stands for, 1 if all are recorded.
 * @trace:   of its allocation, 0 if unknown.
 * @process: serial number of the one that has it.
 */
struct stackdepot_object {
	uint64_t address;
	uint64_t size;
	double weight;
	stackdepot_ref_t trace;
	uint32_t process;
};

/**
 * stackdepot_store_next_object() - iterate over the live objects.
 * @position: 0 to begin; advanced by the call.
 *
 * Return: 1 with @ret_object filled, or 0 at the end.
 */
STACKDEPOT_API int stackdepot_store_next_object(struct stackdepot_store *store, uint64_t *position,
						struct stackdepot_object *ret_object);

/**
 * struct stackdepot_mapping - memory that the program mapped itself: mmap(), sbrk(), shmat().
 * @recorder: not the program's, but the recorder's own.
 */
struct stackdepot_mapping {
	uint64_t address;
	uint64_t size;
	stackdepot_ref_t trace;
	uint32_t process;
	uint32_t recorder;
};

/* stackdepot_store_next_mapping() - as stackdepot_store_next_object(). */
STACKDEPOT_API int stackdepot_store_next_mapping(struct stackdepot_store *store, uint64_t *position,
						 struct stackdepot_mapping *ret_mapping);

/*
 * stackdepot_store_next_thread() - an address on the stack of each thread of a process, of @process
 * its serial number, as far as threads have room for their own in the store. As
 * stackdepot_store_next_object().
 */
STACKDEPOT_API int stackdepot_store_next_thread(struct stackdepot_store *store, uint64_t *position,
						uint32_t process, uint64_t *ret_stack);

/*
 * Frames, as the traces of a store have them, are numbers of 48 bits, sign-extended, which mean the
 * same in each process of the run:
 *
 *	47  46        33  32                  0
 *	+---+------------+---------------------+
 *	| 0 | module     | offset              |	code of a file: its number, and how far
 *	+---+------------+---------------------+	behind its lowest address
 *	| 0 | 0          | small               |	a mark
 *	+---+------------+--+------------------+
 *	| 0 | 0          | 1| process          |	whose addresses are in this trace
 *	+---+------------+--+------------------+
 *	| 1 | address                          |	code of no file that is known: in memory
 *	+---+----------------------------------+
 *
 * A process is outermost in its trace. All are return addresses: the call is in the byte before.
 */
#define STACKDEPOT_FRAME_OFFSET_BITS 33
#define STACKDEPOT_FRAME_ADDRESS_BITS 47
#define STACKDEPOT_FRAME_MODULES 16383u /* the largest number of one; they begin with 1 */

/* Low bits that addresses of code do without: where there are 48 they are multiples of 4. */
#if defined(__aarch64__)
enum { STACKDEPOT_FRAME_ADDRESS_SHIFT = 1 };
#elif defined(__x86_64__)
enum { STACKDEPOT_FRAME_ADDRESS_SHIFT = 0 };
#else
#error "stores are known of x86-64 and arm64"
#endif

/*
 * A mark: frames behind it, further out, were found by frame pointers, as the code before it has no
 * unwind table. They are a guess, right if that code keeps a frame pointer.
 */
#define STACKDEPOT_FRAME_GUESS 1ull

/* stackdepot_frame_is_address() - is it code of no file that is known? */
static inline int stackdepot_frame_is_address(uint64_t frame)
{
	return (int)(frame >> STACKDEPOT_FRAME_ADDRESS_BITS & 1);
}

/* stackdepot_frame_address() - of such a frame, in the memory of its process. */
static inline uint64_t stackdepot_frame_address(uint64_t frame)
{
	return (frame & ((1ull << STACKDEPOT_FRAME_ADDRESS_BITS) - 1))
	       << STACKDEPOT_FRAME_ADDRESS_SHIFT;
}

/* stackdepot_frame_module() - the number of the file that it is in; 0: none. */
static inline uint32_t stackdepot_frame_module(uint64_t frame)
{
	return stackdepot_frame_is_address(frame)
		       ? 0
		       : (uint32_t)(frame >> STACKDEPOT_FRAME_OFFSET_BITS &
				    STACKDEPOT_FRAME_MODULES);
}

/* stackdepot_frame_offset() - how far behind the lowest address of its file. */
static inline uint64_t stackdepot_frame_offset(uint64_t frame)
{
	return frame & ((1ull << STACKDEPOT_FRAME_OFFSET_BITS) - 1);
}

/* stackdepot_frame_process() - the process that it names; 0: it is a frame of another kind. */
static inline uint32_t stackdepot_frame_process(uint64_t frame)
{
	return !stackdepot_frame_is_address(frame) && !stackdepot_frame_module(frame) &&
			       stackdepot_frame_offset(frame) >> 32
		       ? (uint32_t)frame
		       : 0;
}

/**
 * struct stackdepot_module - a file that was mapped, by any process, now or in the past.
 * @number:        that frames in it have.
 * @base:          its lowest address, in the file; with the offset of a frame the address in the
 *                 file.
 * @bytes:         from there to its end, in memory.
 * @file_bytes:    size of the file when it was loaded, as the next three only if it has no
 *                 build-id; all of them 0 if they are not known.
 * @file_mtime_ns: its time of modification.
 */
struct stackdepot_module {
	uint32_t number;
	uint32_t build_id_bytes;
	const uint8_t *build_id;
	const char *path;
	uint64_t base;
	uint64_t bytes;
	uint64_t file_bytes;
	uint64_t file_mtime_ns;
	uint64_t file_inode;
	uint64_t file_device;
};

/* stackdepot_store_next_module() - as stackdepot_store_next_object(), in the order they were met.
 */
STACKDEPOT_API int stackdepot_store_next_module(struct stackdepot_store *store, uint64_t *position,
						struct stackdepot_module *ret_module);

/**
 * stackdepot_store_module() - the file of that number; see stackdepot_frame_module().
 *
 * Return: 1 with @ret_module filled, or 0: there is none.
 */
STACKDEPOT_API int stackdepot_store_module(struct stackdepot_store *store, uint32_t number,
					   struct stackdepot_module *ret_module);

/* What can be found wrong, named as KASAN does; see stackdepot_error_name(). */
enum stackdepot_error_kind {
	STACKDEPOT_DOUBLE_FREE = 1,
	STACKDEPOT_INVALID_FREE = 2,	 /* never allocated, or inside an object */
	STACKDEPOT_HEAP_OVERFLOW = 3,	 /* slab-out-of-bounds, found when it was freed */
	STACKDEPOT_WRITE_AFTER_FREE = 4, /* slab-use-after-free, found when it was reused */
	STACKDEPOT_USE_AFTER_FREE = 5,	 /* slab-use-after-free, caught at the access */
	STACKDEPOT_OUT_OF_BOUNDS = 6,	 /* slab-out-of-bounds, caught at the access */
	STACKDEPOT_NULL_DEREF = 7,	 /* null-ptr-deref: a crash */
	STACKDEPOT_WILD_ACCESS = 8,	 /* wild-memory-access: a crash */
	STACKDEPOT_CRASH = 9,		 /* another fatal signal */
	STACKDEPOT_STACK_OVERFLOW = 10,	 /* stack-overflow: a thread used up its stack */
	STACKDEPOT_INVALID_ACCESS = 11,	 /* invalid-access: of no object with the pointer's tag */
	STACKDEPOT_ERROR_KINDS
};

/* stackdepot_error_name() - "double-free" and so on; "unknown" for a number that is none. */
STACKDEPOT_API const char *stackdepot_error_name(unsigned int kind);

#define STACKDEPOT_ERROR_WRITE 0x1u   /* the access was a write; else a read or not known */
#define STACKDEPOT_ERROR_READ 0x2u    /* the access was a read */
#define STACKDEPOT_ERROR_NEAREST 0x4u /* the object is the nearest one, it need not be meant */
#define STACKDEPOT_ERROR_FREED 0x8u   /* the object had been freed */
/* It may be none: the memory may have changed hands where the recorder does not look. */
#define STACKDEPOT_ERROR_DOUBTFUL 0x10u
/* Found by hardware tags: pointer_tag and what follows it are known. */
#define STACKDEPOT_ERROR_TAGGED 0x20u
/* The processor said so later, without an address: the stack is where it was noticed. */
#define STACKDEPOT_ERROR_ASYNC 0x40u

#define STACKDEPOT_ERROR_CANDIDATES 2
#define STACKDEPOT_ERROR_TAGS 48
#define STACKDEPOT_TAG_GRANULE 16 /* bytes of memory that have one tag */

/**
 * struct stackdepot_candidate - an object that may have been meant instead of the one of the error.
 * @flags: STACKDEPOT_ERROR_FREED.
 */
struct stackdepot_candidate {
	uint64_t object;
	uint64_t object_bytes;
	stackdepot_ref_t alloc_trace;
	stackdepot_ref_t free_trace;
	uint32_t alloc_thread;
	uint32_t free_thread;
	uint32_t flags;
};

/**
 * struct stackdepot_error - an error that was found.
 * @address:      the pointer or the place that is wrong.
 * @object:       start of the object concerned, 0 if none is known.
 * @access_trace: where it was done, or found.
 * @alloc_trace:  where the object was allocated; 0 if unknown, as the next.
 * @free_trace:   where it was freed.
 * @thread:       the one that did it, or found it; as the next two 0 if not known.
 * @value:        the bytes found where others should be.
 * @count:        times it was seen.
 * @process:      serial number of the process that met it first, and @pid its number.
 * @processes:    that met it.
 * @pointer_tag:  that of the pointer; as @memory_tag, of what lies at @address, and the following
 *                if it has STACKDEPOT_ERROR_TAGGED.
 * @nr_tags:      tags around it, of granules from @tags_start on.
 * @candidates:   other objects that had the pointer's tag, @nr_candidates of them, the likelier
 *                first.
 */
struct stackdepot_error {
	uint32_t kind;
	uint32_t flags;
	uint32_t signal;
	uint32_t thread;
	uint32_t alloc_thread;
	uint32_t free_thread;
	uint64_t time_ns;
	uint64_t alloc_ns;
	uint64_t free_ns;
	uint64_t address;
	uint64_t object;
	uint64_t object_bytes;
	stackdepot_ref_t access_trace;
	stackdepot_ref_t alloc_trace;
	stackdepot_ref_t free_trace;
	uint64_t value;
	uint64_t count;
	uint32_t process;
	uint32_t processes;
	uint32_t pid;
	uint8_t pointer_tag;
	uint8_t memory_tag;
	uint8_t nr_tags;
	uint8_t nr_candidates;
	uint64_t tags_start;
	uint8_t tags[STACKDEPOT_ERROR_TAGS];
	struct stackdepot_candidate candidates[STACKDEPOT_ERROR_CANDIDATES];
};

/* stackdepot_store_next_error() - as stackdepot_store_next_object(), in the order of discovery. */
STACKDEPOT_API int stackdepot_store_next_error(struct stackdepot_store *store, uint64_t *position,
					       struct stackdepot_error *ret_error);

/**
 * struct stackdepot_note - a line that a process of the run had to say.
 * @count: times it was said, by whichever process; @pid said it first.
 */
struct stackdepot_note {
	const char *text;
	uint32_t pid;
	uint32_t count;
};

/* stackdepot_store_next_note() - as stackdepot_store_next_object(). */
STACKDEPOT_API int stackdepot_store_next_note(struct stackdepot_store *store, uint64_t *position,
					      struct stackdepot_note *ret_note);

/* Why a program that was started need not be recorded; see stackdepot_start_reason(). */
enum stackdepot_start_reason {
	STACKDEPOT_START_PLAIN, /* nothing is known against it */
	STACKDEPOT_START_STATIC,
	STACKDEPOT_START_LOADER,  /* its loader is another one, such as musl's */
	STACKDEPOT_START_MACHINE, /* it is of another architecture */
	STACKDEPOT_START_SECURE,  /* set-user-ID and the like */
	STACKDEPOT_START_ENVIRONMENT,
	STACKDEPOT_START_LIBRARY, /* the preload library cannot be read there */
	STACKDEPOT_START_FILTER,  /* under a seccomp filter that forbids what the recorder calls */
	STACKDEPOT_START_SANITIZER, /* it is built with AddressSanitizer or the like */
	STACKDEPOT_START_REASONS
};

/* stackdepot_start_reason() - "static" and so on; "" for a number that is none. */
STACKDEPOT_API const char *stackdepot_start_reason(unsigned int reason);

/**
 * struct stackdepot_start - a program that processes of the run started.
 * @path:    as it was asked for.
 * @started: times.
 * @missing: of these, the ones whose recorder never began.
 */
struct stackdepot_start {
	const char *path;
	uint32_t reason;
	uint32_t started;
	uint32_t missing;
};

/* stackdepot_store_next_start() - as stackdepot_store_next_note(). */
STACKDEPOT_API int stackdepot_store_next_start(struct stackdepot_store *store, uint64_t *position,
					       struct stackdepot_start *ret_start);

/**
 * struct stackdepot_stack - what comes from one allocation stack.
 * @trace: 0 for all objects whose trace is not known.
 *
 * Estimates when the program was sampled, exact otherwise. @allocs and @alloc_bytes count freed
 * objects too, since the trace was last stored. The variances are of @objects and @bytes, 0 where
 * these are exact: their roots are standard errors.
 */
struct stackdepot_stack {
	stackdepot_ref_t trace;
	double objects;
	double bytes;
	double objects_variance;
	double bytes_variance;
	double allocs;
	double alloc_bytes;
};

/**
 * struct stackdepot_peak - the most that a process had, or one of those of a row.
 * @serial:        of the process, or the row.
 * @bytes:         that it had at most, as far as was seen: live bytes, estimated as others are.
 * @unseen_bytes:  so much more it may have been, as threads tell in steps; with several of them,
 *                 less, too.
 * @time_ns:       when that was, CLOCK_MONOTONIC.
 * @taken_bytes:   sum of the stacks that stackdepot_store_peak_stacks() has for it: what was live
 *                 at a moment near the peak; @taken_ns is that moment, 0: now, or when it ended.
 * @unlisted_bytes: of these, without a stack, as there was no room.
 * @meanwhile_bytes: other threads allocated so much while they were added up, so a stack may be
 *                 wrong by that.
 */
struct stackdepot_peak {
	uint32_t serial;
	double bytes;
	double unseen_bytes;
	uint64_t time_ns;
	double taken_bytes;
	double taken_objects;
	uint64_t taken_ns;
	double unlisted_bytes;
	double meanwhile_bytes;
};

enum stackdepot_peak_of {
	STACKDEPOT_PEAK_LIFE,
	STACKDEPOT_PEAK_INTERVAL, /* since stackdepot_store_mark() was called last */
};

/**
 * stackdepot_store_peaks() - of all processes that had something.
 * @ret_peaks: to be released with free().
 *
 * Return: 0 with @ret_peaks and @ret_nr, or -ENOMEM.
 */
STACKDEPOT_API int stackdepot_store_peaks(struct stackdepot_store *store,
					  enum stackdepot_peak_of of,
					  struct stackdepot_peak **ret_peaks, size_t *ret_nr);

/* stackdepot_store_mark() - an interval begins for a process, or all of them (0). 0 or a negative
 * errno. */
STACKDEPOT_API int stackdepot_store_mark(const char *path, uint32_t pid);

/* Do live objects of this process count? Of 0: what those left that are not told apart any more? */
typedef int stackdepot_select_fn(void *context, uint32_t process);

/**
 * stackdepot_store_stacks() - all of them, most live bytes first.
 * @select:     whose objects count as live, or NULL: everybody's. Allocations are always those of
 *              all.
 * @ret_stacks: to be released with free().
 *
 * Return: 0 or -ENOMEM.
 */
STACKDEPOT_API int stackdepot_store_stacks(struct stackdepot_store *store,
					   stackdepot_select_fn *select, void *context,
					   struct stackdepot_stack **ret_stacks, size_t *ret_nr);

/*
 * stackdepot_store_peak_stacks() - the same, but what counts as live is what the processes had at
 * their peaks, each at its own. @peaks and @nr are what stackdepot_store_peaks() says of them.
 */
STACKDEPOT_API int stackdepot_store_peak_stacks(struct stackdepot_store *store,
						enum stackdepot_peak_of of,
						const struct stackdepot_peak *peaks, size_t nr,
						stackdepot_select_fn *select, void *context,
						struct stackdepot_stack **ret_stacks,
						size_t *ret_nr);

/**
 * stackdepot_store_next_corpus() - the traces of all events in order, where they were recorded.
 * @ret_handle: 0 for an event without a trace.
 *
 * Return: 1, or 0 at the end.
 */
STACKDEPOT_API int stackdepot_store_next_corpus(struct stackdepot_store *store, uint64_t *position,
						stackdepot_handle_t *ret_handle);

/**
 * stackdepot_store_finish() - write down how a process ended, for whoever waited for it.
 * @pid:         in the caller's PID name space.
 * @wait_status: as wait() has it.
 *
 * Return: 0, -ESRCH (it is not in the store), -EBADMSG (not a store), or the negative errno of open
 * or mmap.
 */
STACKDEPOT_API int stackdepot_store_finish(const char *path, uint32_t pid, uint32_t wait_status);

/**
 * stackdepot_store_set() - have processes recorded otherwise from here on.
 * @pid:   the process, in the caller's PID name space; 0: all of the run, and who begins later.
 * @value: of @mode, 1 to 2^48: bytes, or thousandths of a percent up to 100,000; else ignored.
 *
 * Each thread notices it when it allocates next.
 *
 * Return: how many processes were told, -EINVAL (mode or value), -ESRCH (no such process is there),
 * -EBADMSG (not a store), -EPROTONOSUPPORT, or the negative errno of open or mmap.
 */
STACKDEPOT_API int stackdepot_store_set(const char *path, uint32_t pid, enum stackdepot_mode mode,
					uint64_t value);

struct stackdepot_exits;

/*
 * stackdepot_exits_open() - be the one who looks at processes of the run before they end.
 *
 * Processes with the option look-at-exit wait for him; one at a time. Return: 0 or a negative
 * errno, as for stackdepot_store_open().
 */
STACKDEPOT_API int stackdepot_exits_open(const char *path, struct stackdepot_exits **ret_exits);
STACKDEPOT_API void stackdepot_exits_close(struct stackdepot_exits *exits);
/* The serial number of one that has come to its end and waits; 0: none did in this time. */
STACKDEPOT_API uint32_t stackdepot_exits_next(struct stackdepot_exits *exits,
					      unsigned int timeout_ms);
/* It can go. */
STACKDEPOT_API void stackdepot_exits_done(struct stackdepot_exits *exits, uint32_t serial);

/**
 * stackdepot_store_settle() - put in order what processes left that are gone.
 *
 * If none is there any more, references and lines that killed ones left are given back, and so are
 * the disk blocks that hold nothing; the size stays.
 *
 * Return: processes that are there; -EAGAIN (somebody else is at it), -EBADMSG (not a store),
 * -EPROTONOSUPPORT, or the negative errno of open, mmap or fcntl.
 */
STACKDEPOT_API int stackdepot_store_settle(const char *path);

#ifdef __cplusplus
}
#endif

#endif
