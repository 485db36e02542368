/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * stackdepot: stack traces, stored once each, in a fixed number of bytes.
 *
 * A depot keeps stack traces and hands out small handles for them. It is created with a byte bound
 * and never exceeds it: when it is full it evicts the traces that nobody holds on to, and goes on
 * saving. Two different traces never share a handle, equal traces always do, and the handle of an
 * evicted trace says so instead of naming another one.
 *
 * A trace is an array of frames, innermost first: frames[0] is the program counter of the function
 * that asked, frames[nr - 1] the outermost caller. A frame may have any value.
 *
 * A saved trace lives in one of three ways, chosen at each save:
 *
 *   kept        never evicted                                 STACKDEPOT_KEEP
 *   referenced  not evicted until its owner puts it back      STACKDEPOT_GET ... stackdepot_put()
 *   leased      not evicted for lease_ticks of the clock      neither flag
 *
 * A trace that is no longer held stays readable until its memory is needed.
 *
 * Unless a function says otherwise it may be called from any context, signal handlers included,
 * from any number of threads, takes no lock, allocates nothing, and leaves errno alone.
 */
#ifndef STACKDEPOT_STACKDEPOT_H
#define STACKDEPOT_STACKDEPOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef STACKDEPOT_API
#define STACKDEPOT_API
#endif

#define STACKDEPOT_MAX_FRAMES 256 /* upper limit of the option max_frames */
#define STACKDEPOT_MAX_LINES ((1u << 27) - 1)
#define STACKDEPOT_MAX_LEASE_TICKS 127
#define STACKDEPOT_RING_LEASE_TICKS 8 /* ticks a ring makes while it turns once */
#define STACKDEPOT_EXTRA_BITS 5

/**
 * stackdepot_handle_t - names a stored trace, 32 bits, 0 for none.
 *
 * For owners: whoever keeps, references or leases the trace. The top STACKDEPOT_EXTRA_BITS are the
 * user's and ignored here. The others hold the line number and as many bits of its generation as
 * fit, so a handle used after its owner let go is *mostly* recognised; see stackdepot_ref_t.
 */
typedef uint32_t stackdepot_handle_t;

/**
 * stackdepot_ref_t - names a stored trace, 64 bits, 0 for none.
 *
 * For everybody else: carries 32 bits of generation and is recognised as evicted until its line
 * has been used four billion times over.
 */
typedef uint64_t stackdepot_ref_t;

struct stackdepot;

/* Flags of stackdepot_options. */
#define STACKDEPOT_SPARSE 0x1u /* file: reserve no disk blocks; a full disk then raises SIGBUS */

/**
 * struct stackdepot_options - how to make a depot. Zero means the default in every field but
 * max_bytes.
 *
 * @max_bytes:    bytes of all memory the depot will ever use: lines, index, ring, bookkeeping.
 * @max_frames:   longer traces are cut to this many innermost frames; 1 to STACKDEPOT_MAX_FRAMES,
 *                default 128.
 * @lease_ticks:  ticks of the clock that a leased trace is safe from eviction, 0 to
 *                STACKDEPOT_MAX_LEASE_TICKS. With a ring it is STACKDEPOT_RING_LEASE_TICKS.
 * @ring_entries: events in the stack ring, rounded up to a power of two of at least 16; 0: no ring.
 * @lines:        at most so many lines; default as many as fit. Tests use it for tiny depots.
 * @buckets:      chains of the index; default one a line.
 * @flags:        STACKDEPOT_SPARSE.
 * @seed:         of the hash function; default: from the system's random source.
 */
struct stackdepot_options {
	uint64_t max_bytes;
	uint32_t max_frames;
	uint32_t lease_ticks;
	uint32_t ring_entries;
	uint32_t lines;
	uint32_t buckets;
	uint32_t flags;
	uint64_t seed;
};

/**
 * stackdepot_create() - make a depot in anonymous memory.
 * @options:   see struct stackdepot_options.
 * @ret_depot: where the new depot is stored; untouched on failure.
 *
 * Context: not in signal handlers. Allocates everything the depot will ever use; memory pages are
 * touched as lines come into use. After fork() the child has a copy of its own.
 * Return: 0, -EINVAL (an option out of range, or max_bytes too small for one line), -ENOMEM.
 */
STACKDEPOT_API int stackdepot_create(const struct stackdepot_options *options,
				     struct stackdepot **ret_depot);

/**
 * stackdepot_create_file() - make a depot in a new file, mode 0600, that outlives the process.
 * @path: must not exist.
 *
 * As stackdepot_create(). The file has its final size, and its blocks, from the start. After
 * fork() parent and child share the depot.
 * Return: as stackdepot_create(), or the negative errno of open, fallocate or mmap (-EEXIST,
 * -EACCES, -ENOSPC, ...). On failure no file is left behind.
 */
STACKDEPOT_API int stackdepot_create_file(const struct stackdepot_options *options,
					  const char *path, struct stackdepot **ret_depot);

/**
 * stackdepot_attach() - open a depot's file for reading, while it is written or afterwards.
 *
 * The file is not trusted: a damaged one gives an error here or at the function that meets the
 * damage. Truncating the file while it is attached is the one thing that can end in SIGBUS.
 *
 * Context: not in signal handlers.
 * Return: 0, -EBADMSG (not a depot, or damaged), -EPROTONOSUPPORT (of another version), or the
 * negative errno of open or mmap. Saving, getting or putting in an attached depot fails with
 * -EROFS.
 */
STACKDEPOT_API int stackdepot_attach(const char *path, struct stackdepot **ret_depot);

/**
 * stackdepot_create_at() - make a depot in memory of the caller's, for those who embed it.
 * @options: max_bytes counts a page that this call maps for its own view; flags are not used.
 * @memory:  zeroed, aligned to 64, of max_bytes - 4096 bytes; private, or shared with others.
 *
 * Context: not in signal handlers. The memory outlives stackdepot_destroy().
 * Return: as stackdepot_create(), -EINVAL also if @memory is not aligned.
 */
STACKDEPOT_API int stackdepot_create_at(const struct stackdepot_options *options, void *memory,
					struct stackdepot **ret_depot);

/**
 * stackdepot_attach_at() - stackdepot_attach() for memory that the caller mapped.
 * @memory: aligned to 64, readable for @bytes, not trusted; it must outlive the depot.
 */
STACKDEPOT_API int stackdepot_attach_at(const void *memory, uint64_t bytes,
					struct stackdepot **ret_depot);

/**
 * stackdepot_join_at() - stackdepot_attach_at(), to save there too, as other processes may.
 * @memory: as stackdepot_create_at() left it, in whichever process; aligned to 64, writable for
 *          @bytes. Not trusted, but who else writes to it can make traces wrong. It must outlive
 *          the depot.
 *
 * Context: not in signal handlers.
 * Return: 0 and *@ret_depot, or as stackdepot_attach_at().
 */
STACKDEPOT_API int stackdepot_join_at(void *memory, uint64_t bytes, struct stackdepot **ret_depot);

/**
 * stackdepot_destroy() - release a depot's memory; a file stays.
 * @depot: not in use by anybody any more; or NULL.
 *
 * Context: not in signal handlers.
 */
STACKDEPOT_API void stackdepot_destroy(struct stackdepot *depot);

/**
 * stackdepot_fork_child() - in the child of a fork(), make good what other threads left half done.
 * @depot: made by stackdepot_create() before the fork.
 *
 * Only the forking thread lives on in the child. Lines that other threads were just filling or
 * clearing would be lost to the child; this gives them back. Optional: without it the child's depot
 * is correct, and smaller by at most one trace per thread that was inside it. Files are shared with
 * the parent, whose threads go on, so there it does nothing.
 *
 * Context: the only thread of the process; linear in the number of lines.
 * Return: lines given back.
 */
STACKDEPOT_API unsigned int stackdepot_fork_child(struct stackdepot *depot);

/**
 * stackdepot_recount() - make good what processes left half done or held that are gone.
 * @held: an array of stackdepot_stats.lines + 1: the references there still are to the trace of
 *        each line, from 1 on (the low half of a stackdepot_ref_t). What there are besides is taken
 *        away. Used as scratch.
 *
 * Context: nobody else uses the depot meanwhile; linear in the number of lines.
 * Return: lines that were given back, or whose references were not those; 0, and nothing is
 *         changed, if what is in a file cannot be so.
 */
STACKDEPOT_API unsigned int stackdepot_recount(struct stackdepot *depot, uint32_t *held);

/* Flags of stackdepot_save(). */
#define STACKDEPOT_KEEP 0x1u	 /* never evict this trace */
#define STACKDEPOT_GET 0x2u	 /* take a reference; give it back with stackdepot_put() */
#define STACKDEPOT_NO_EVICT 0x4u /* use free memory only, evict nothing */
#define STACKDEPOT_FIND 0x10u	 /* store nothing: 0 if the trace is not there */

/**
 * stackdepot_save() - store a trace, or find it stored.
 * @frames: innermost first; @nr of them.
 * @nr:     1 or more; beyond max_frames the outermost are left out.
 * @flags:  STACKDEPOT_KEEP, STACKDEPOT_GET or neither (leased); STACKDEPOT_NO_EVICT,
 *          STACKDEPOT_FIND.
 *
 * With STACKDEPOT_FIND what is found is held as by any other save, also what is there only as the
 * outer part of other traces. 0 is not counted as a refusal, and may also mean that somebody is
 * storing the trace, or evicting one next to it, at this moment.
 *
 * Progress: lock-free. Finding a trace that is stored writes no shared memory, but for the
 * reference count with STACKDEPOT_GET, and a leased trace's stamp once a tick. Storing one does
 * amortised constant work for each line of 8 frames it adds.
 * Ordering: whoever receives the handle through any synchronisation can fetch the trace.
 * Return: the handle, or 0 if nothing could be stored (the causes are counted, see struct
 * stackdepot_stats): every line is pinned or in the hands of another save at this moment, or there
 * is no free one and @flags forbid eviction.
 */
STACKDEPOT_API stackdepot_handle_t stackdepot_save(struct stackdepot *depot,
						   const uintptr_t *frames, unsigned int nr,
						   unsigned int flags);

/**
 * stackdepot_save_again() - stackdepot_save() for one who has a reference to the trace.
 * @ref: of a trace that was saved in this depot; it need not be there any more.
 *
 * It is held as @flags say, as by any other save, without being looked for.
 * Return: the handle, or 0 if the trace was evicted: then save its frames.
 */
STACKDEPOT_API stackdepot_handle_t stackdepot_save_again(struct stackdepot *depot,
							 stackdepot_ref_t ref, unsigned int flags);

/**
 * stackdepot_get_bulk() - take @nr references more to a trace that the caller holds one of.
 */
STACKDEPOT_API void stackdepot_get_bulk(struct stackdepot *depot, stackdepot_ref_t ref,
					unsigned int nr);

/**
 * stackdepot_put_bulk() - give @nr references back, all the caller's own.
 *
 * The trace is leased as by a save, so an event in the ring that it was saved for can be read as
 * long as one that is recorded now.
 */
STACKDEPOT_API void stackdepot_put_bulk(struct stackdepot *depot, stackdepot_ref_t ref,
					unsigned int nr);

/**
 * stackdepot_prefetch() - let what others of these functions read of a handle's trace come into the
 * cache: for who has something else to do before he calls one.
 * @handle: from a save; any other does no harm.
 */
STACKDEPOT_API void stackdepot_prefetch(struct stackdepot *depot, stackdepot_handle_t handle);

/**
 * struct stackdepot_cursor - what a caller remembers of its previous save, to make the next cheap.
 *
 * Zero-initialise. One cursor serves one depot and one thread at a time. It is opaque but for @ref:
 * after a save that returned a handle, if @nr is not 0, @ref is what stackdepot_ref() would say.
 */
struct stackdepot_cursor {
	stackdepot_ref_t ref; /* of the previous trace */
	uint32_t nr;	      /* its frames; 0 if none is remembered */
	uint32_t lines;	      /* entries valid below */
	struct {
		uint64_t hash; /* of all frames from the root to here */
		uint32_t line;
		uint32_t generation;
	} at[STACKDEPOT_MAX_FRAMES / 8]; /* after 8, 16, 24 ... frames from the root */
};

/**
 * stackdepot_save_cursor() - stackdepot_save() for one who knows what did not change.
 * @cursor:    of the previous save; updated.
 * @unchanged: so many *outermost* frames equal those of the previous save with @cursor. It is
 *             believed: a wrong number stores a wrong trace. Too small is only slower; 0 is always
 *             right. If @nr exceeds max_frames it is taken as 0.
 *
 * Otherwise as stackdepot_save(). Not for a signal handler that may interrupt a save with the same
 * cursor.
 */
STACKDEPOT_API stackdepot_handle_t stackdepot_save_cursor(struct stackdepot *depot,
							  const uintptr_t *frames, unsigned int nr,
							  unsigned int flags,
							  struct stackdepot_cursor *cursor,
							  unsigned int unchanged);

/**
 * stackdepot_get() - take one more reference to a trace.
 *
 * Return: 0, -ESTALE (evicted; no reference taken), -EINVAL (not a handle), -EROFS.
 */
STACKDEPOT_API int stackdepot_get(struct stackdepot *depot, stackdepot_handle_t handle);

/**
 * stackdepot_put() - give a reference back.
 *
 * The trace becomes evictable with its last reference and stays readable until its memory is
 * needed. A trace that was referenced a million times at once is kept from then on. To put what
 * one did not get is an error that is noticed only if nobody else holds a reference; else somebody
 * loses his, maybe a longer trace that shares the line.
 * Return: 0, -ESTALE or -EINVAL as stackdepot_get(), -EINVAL also if nobody held a reference.
 */
STACKDEPOT_API int stackdepot_put(struct stackdepot *depot, stackdepot_handle_t handle);

/**
 * stackdepot_fetch() - copy a trace out.
 * @frames: where to, innermost first.
 * @size:   room in @frames; a longer trace is cut to its @size innermost frames.
 *
 * Return: number of frames of the whole trace, which may exceed @size; or -ESTALE (evicted),
 * -EINVAL (not a handle), -EBADMSG (an attached file is damaged here); @frames is undefined then.
 */
STACKDEPOT_API int stackdepot_fetch(struct stackdepot *depot, stackdepot_handle_t handle,
				    uintptr_t *frames, unsigned int size);

/**
 * stackdepot_ref() - the 64-bit reference for a handle.
 * @handle: of a trace the caller owns at this moment.
 *
 * Return: the reference, or 0 if the trace was evicted or this is no handle.
 */
STACKDEPOT_API stackdepot_ref_t stackdepot_ref(struct stackdepot *depot,
					       stackdepot_handle_t handle);

/* stackdepot_handle() - the 32-bit handle of a reference, extra bits 0; for 0 it is 0. */
STACKDEPOT_API stackdepot_handle_t stackdepot_handle(struct stackdepot *depot,
						     stackdepot_ref_t ref);

/* stackdepot_get_ref() - stackdepot_get() for a 64-bit reference. */
STACKDEPOT_API int stackdepot_get_ref(struct stackdepot *depot, stackdepot_ref_t ref);

/* stackdepot_fetch_ref() - stackdepot_fetch() for a 64-bit reference. */
STACKDEPOT_API int stackdepot_fetch_ref(struct stackdepot *depot, stackdepot_ref_t ref,
					uintptr_t *frames, unsigned int size);

/* stackdepot_set_extra_bits() - @handle with its top bits set to @bits (STACKDEPOT_EXTRA_BITS). */
static inline stackdepot_handle_t stackdepot_set_extra_bits(stackdepot_handle_t handle,
							    unsigned int bits)
{
	const unsigned int shift = 32 - STACKDEPOT_EXTRA_BITS;

	if (!handle)
		return 0;
	return (handle & ((1u << shift) - 1)) | (stackdepot_handle_t)bits << shift;
}

/* stackdepot_get_extra_bits() - the user's bits of @handle. */
static inline unsigned int stackdepot_get_extra_bits(stackdepot_handle_t handle)
{
	return handle >> (32 - STACKDEPOT_EXTRA_BITS);
}

/**
 * stackdepot_tick() - advance the clock by one.
 *
 * Leases taken lease_ticks + 1 ticks ago run out. A depot with a ring has its clock driven by it,
 * and nobody else.
 * Return: 0, -EBUSY (the ring drives the clock), -EROFS.
 */
STACKDEPOT_API int stackdepot_tick(struct stackdepot *depot);

/* stackdepot_now() - what the clock shows. */
STACKDEPOT_API uint64_t stackdepot_now(struct stackdepot *depot);

/**
 * struct stackdepot_trace_info - what is known of a stored trace.
 * @references: references held, longer traces that share its lines counted too.
 * @frames:     length of the trace.
 * @kept:       saved with STACKDEPOT_KEEP at least once.
 * @leased:     within its lease.
 */
struct stackdepot_trace_info {
	uint32_t references;
	uint32_t frames;
	bool kept;
	bool leased;
};

/* stackdepot_info() - fill @ret_info; 0, or as stackdepot_fetch(). */
STACKDEPOT_API int stackdepot_info(struct stackdepot *depot, stackdepot_ref_t ref,
				   struct stackdepot_trace_info *ret_info);

/**
 * stackdepot_next() - iterate over what is stored.
 * @position: 0 to begin; advanced by the call.
 *
 * Traces saved or evicted meanwhile are seen or not; one that is stored throughout is seen once.
 * Return: the next trace, or 0 at the end.
 */
STACKDEPOT_API stackdepot_ref_t stackdepot_next(struct stackdepot *depot, uint32_t *position);

/**
 * stackdepot_snprint() - a trace as text, one frame a line, as far as it fits.
 * @spaces: blanks in front of each line.
 *
 * Return: bytes the whole text has without its final NUL, as snprintf(); or as stackdepot_fetch().
 */
STACKDEPOT_API int stackdepot_snprint(struct stackdepot *depot, stackdepot_ref_t ref, char *buffer,
				      size_t size, unsigned int spaces);

/* stackdepot_print() - write the text of stackdepot_snprint() to @fd; 0 or negative errno. */
STACKDEPOT_API int stackdepot_print(struct stackdepot *depot, stackdepot_ref_t ref, int fd);

/**
 * struct stackdepot_stats - what a depot has, had to do, and had to refuse.
 *
 * The first group describes it, the second counts since creation, the third are failures by cause.
 * A save that finds its trace counts nothing: it writes nothing.
 */
struct stackdepot_stats {
	uint64_t max_bytes;    /* the bound that was asked for */
	uint64_t mapped_bytes; /* what the depot occupies of it at most */
	uint64_t used_bytes;   /* of these, touched so far: everything but lines never used */
	uint64_t ring_bytes;   /* of mapped_bytes, the ring */
	uint64_t lines;	       /* capacity, in lines of up to 8 frames */
	uint64_t lines_used;   /* lines ever used */
	uint64_t buckets;      /* chains of the index */

	uint64_t saved;		/* traces stored that were not there before */
	uint64_t truncated;	/* of these, cut to max_frames */
	uint64_t lines_added;	/* lines filled */
	uint64_t evictions;	/* lines evicted */
	uint64_t leases_broken; /* of these, leased traces within their lease: depot too small */
	uint64_t duplicates;	/* lines filled in vain as another thread was first */
	uint64_t saturated;	/* lines whose reference count reached its limit: now kept */

	uint64_t drops_pinned;	  /* saves refused: every line pinned */
	uint64_t drops_no_evict;  /* saves refused: full, and eviction forbidden */
	uint64_t drops_no_memory; /* saves refused: the port had no memory for a line */

	uint64_t ring_events;  /* events recorded, and up to 15 of each pen in use */
	uint64_t ring_dropped; /* at most so many events refused or damaged: two wrote one entry */
	uint64_t ring_stale;   /* events whose trace was evicted before they were recorded */

	uint64_t chains_cut; /* of the index: somebody else wrote to them, and traces were lost */
};

/* stackdepot_get_stats() - fill @ret_stats; each counter is exact, the set is not a snapshot. */
STACKDEPOT_API void stackdepot_get_stats(struct stackdepot *depot,
					 struct stackdepot_stats *ret_stats);

/**
 * stackdepot_bytes_for() - max_bytes that gives a depot at least @lines lines.
 * @options: buckets and ring_entries are used; may be NULL.
 *
 * Return: bytes, or 0 if @lines or an option is out of range.
 */
STACKDEPOT_API uint64_t stackdepot_bytes_for(uint32_t lines,
					     const struct stackdepot_options *options);

/**
 * stackdepot_check() - walk the whole depot and verify its invariants.
 *
 * Context: nobody else uses the depot meanwhile; linear in its size. For tests and debugging.
 * Return: 0, or -EBADMSG if an invariant is broken.
 */
STACKDEPOT_API int stackdepot_check(struct stackdepot *depot);

/* --- the stack ring ------------------------------------------------------------------------ */

enum stackdepot_event_kind {
	STACKDEPOT_ALLOC = 1,
	STACKDEPOT_FREE = 2,
};

/**
 * struct stackdepot_event - one thing that happened to an object.
 * @address: of the object, with its tag where pointers carry one.
 * @size:    of the object, bytes.
 * @trace:   where it happened; 0 if unknown.
 * @origin:  of a free, where the object was allocated; 0 if unknown. What is told so needs no event
 *           of its own. Held as @trace is.
 * @time:    in the user's unit.
 * @task:    thread or process.
 * @kind:    enum stackdepot_event_kind, or a number of the user's below 65536.
 * @order:   filled in: of two events that happened one after the other it is no smaller for the
 *           second. Equal if both were written with pens and nobody took positions in between: then
 *           stackdepot_ring_find() goes by position, which tells within a thread only.
 */
struct stackdepot_event {
	uint64_t address;
	uint64_t size;
	stackdepot_ref_t trace;
	stackdepot_ref_t origin;
	uint64_t time;
	uint32_t task;
	uint16_t kind;
	uint64_t order;
};

/**
 * stackdepot_ring_record() - append an event, over the oldest one.
 * @event: its traces, if any, were saved in this depot; the caller holds them. Their leases are
 *         renewed, so they can be fetched as long as the event is in the ring.
 *
 * Progress: wait-free but for the stamps of the traces, which are lock-free.
 * Return: 0, -EAGAIN (dropped: a newer event has the entry; counted), -ENOENT (no ring), -EROFS.
 */
STACKDEPOT_API int stackdepot_ring_record(struct stackdepot *depot,
					  const struct stackdepot_event *event);

/**
 * struct stackdepot_pen - positions of the ring that one writer has for itself.
 *
 * Zero-initialise. Opaque; one pen serves one depot and one thread at a time. A forked child that
 * goes on with its parent's depot begins with zeros.
 */
struct stackdepot_pen {
	uint64_t next;
	uint64_t end;
	uint64_t tick;
	uint64_t patience;
	uint32_t size;
};

/**
 * stackdepot_ring_write() - stackdepot_ring_record() for one who records often.
 * @pen: of the calling thread.
 *
 * Writes no memory that other threads write too, but every 16th time. The leases of the event's
 * traces are not renewed, so they have to be held: a trace was saved by this thread since its event
 * before; or it is referenced, and given back by stackdepot_put_bulk().
 * Context: not in a signal handler that may have interrupted it with the same pen.
 */
STACKDEPOT_API int stackdepot_ring_write(struct stackdepot *depot, struct stackdepot_pen *pen,
					 const struct stackdepot_event *event);

/**
 * stackdepot_ring_memory() - where the event of a position lies, 64 bytes.
 * @position: of a pen: @end is that of the events it will write next.
 *
 * For who wants memory to be there before it is written to. Opaque.
 * Return: the address, or NULL if there is no ring.
 */
STACKDEPOT_API const void *stackdepot_ring_memory(const struct stackdepot *depot,
						  uint64_t position);

/* stackdepot_ring_end() - let go of a pen. Optional: it makes ring_events exact. */
STACKDEPOT_API void stackdepot_ring_end(struct stackdepot *depot, struct stackdepot_pen *pen);

/**
 * stackdepot_ring_next() - read the ring backwards, newest position first.
 * @position: 0 to begin; updated by the call.
 *
 * An event that is just being written or overwritten is left out.
 * Return: 1 with @ret_event filled, or 0 at the end (@ret_event untouched).
 */
STACKDEPOT_API int stackdepot_ring_next(struct stackdepot *depot, uint64_t *position,
					struct stackdepot_event *ret_event);

/**
 * stackdepot_ring_find() - the next older event of an object.
 * @position: as in stackdepot_ring_next().
 * @address:  with its tag.
 * @mask:     bits of the address that must agree: all ones for an exact pointer and tag.
 *
 * Return: 1 with @ret_event filled, or 0 if there is none.
 */
STACKDEPOT_API int stackdepot_ring_find(struct stackdepot *depot, uint64_t *position,
					uint64_t address, uint64_t mask,
					struct stackdepot_event *ret_event);

/**
 * stackdepot_ring_snapshot() - copy the newest events, newest first.
 * @events: room for @size.
 *
 * Return: events copied.
 */
STACKDEPOT_API unsigned int stackdepot_ring_snapshot(struct stackdepot *depot,
						     struct stackdepot_event *events,
						     unsigned int size);

/* --- traces from signal handlers ------------------------------------------------------------ */

/**
 * stackdepot_cut() - cut a trace behind the first frame inside a range of code.
 * @frames: innermost first; @nr of them; not changed.
 * @start:  first address of the range.
 * @end:    one past its last.
 *
 * What interrupts says nothing about what was interrupted: without the cut, every place a signal
 * can strike makes a new trace. Linux does the same with filter_irq_stacks().
 * Return: frames up to and with the first one inside, or @nr if there is none.
 */
STACKDEPOT_API unsigned int stackdepot_cut(const uintptr_t *frames, unsigned int nr,
					   uintptr_t start, uintptr_t end);

/**
 * stackdepot_cut_signal() - stackdepot_cut() at the signal frame.
 *
 * Meant for a handler that saves the stack it runs on.
 * Return: frames up to and with the signal trampoline, or @nr if it is not among them.
 */
STACKDEPOT_API unsigned int stackdepot_cut_signal(const uintptr_t *frames, unsigned int nr);

#ifdef __cplusplus
}
#endif

#endif
