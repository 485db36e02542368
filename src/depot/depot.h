/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * depot.h - the parts of a depot and how they lie in memory.
 *
 *	+--------+-------+------------+------+------------------------------------+
 *	| header | heads | candidates | ring | lines                              |
 *	+--------+-------+------------+------+------------------------------------+
 *
 * One block of memory holds everything, without a pointer inside, so the block is also the file.
 * struct stackdepot is the process's private view of it.
 *
 * Line. Storage is one array of lines, numbered from 1. A line holds a *run* of up to 8 frames,
 * innermost first, and the number of its *parent*, which holds the run outside of it:
 *
 *	 0        8        16                  48        64
 *	+--------+--------+-------------------+---------+
 *	| link   | state  | 8 x low 32 bits   | 8 x bits|
 *	|        |        | of a frame        | 32..47  |
 *	+--------+--------+-------------------+---------+
 *
 * A trace is cut into groups of 8 frames counted from the root, so that traces which share their
 * outer frames share whole lines. The line of the innermost group *is* the trace. A group with a
 * frame that is not a sign-extended 48-bit number is stored as two runs of at most 4 frames, and a
 * run that needs it is *wide*: its 32 bytes of low parts hold 4 whole frames. How a trace is cut
 * depends on its frames alone (depot_run()), so equal traces are cut alike.
 *
 * The host says how many bits of a frame a line has (DEPOT_FRAME_BITS). Code of a kernel and its
 * modules lies within 4 GiB, from DEPOT_FRAME_BASE on: there 32 bits are enough, and a line ends
 * after 48 bytes. So it does where frames have 32 bits, and no line is wide then.
 *
 * link:	generation:32 | dead:1 | next:31
 *	Generation counts the lives of the line. `dead` is set from the moment a life ends until the
 *	next is about to be linked. `next` is the next line of the hash chain, 0 at its end.
 *
 * state:  references:20 | dismissed:1 | kept:1 | stamp:8 | visited:1 | trace:1 | live:1 | wide:1 |
 *		count-1:3 | parent:27
 *	0 is a line in nobody's hands but its holder's: never used yet, being filled or being
 *	cleared. STATE_FREE is an empty line that anybody may take. `references` counts owners and
 *	children; the largest number is *saturated* and stays. `stamp` is the clock when the trace
 *	was last leased; in a line that nobody leased, half a turn from the clock as it was filled.
 *	`trace`: saved as a trace, not only as part of one. `dismissed`: taken out of the candidates
 *	(candidates.h); only a line that is kept or referenced is.
 */
#ifndef DEPOT_DEPOT_H
#define DEPOT_DEPOT_H

#include "host.h"

#include "api.h"

/* Frames a line, counted from the root; and a wide line. */
#define DEPOT_GROUP 8u
#define DEPOT_WIDE (32u / sizeof(uintptr_t))
#define DEPOT_MAX_GROUPS ((STACKDEPOT_MAX_FRAMES + DEPOT_GROUP - 1) / DEPOT_GROUP)
#define DEPOT_LINE_BYTES (16u + DEPOT_FRAME_BITS)
#define DEPOT_CACHE_BYTES 64u
/*
 * Machines whose frames have another size read each other's files as little as other versions. With
 * 32 bits traces are hashed in another way since version 7.
 */
#define DEPOT_VERSION ((BITS_PER_LONG == 64 ? 6u : 7u) << 8 | BITS_PER_LONG)
#define DEPOT_MAGIC 0x31544f5045444453ull /* "SDDEPOT1", little endian */
/* Memory comes in pages, and a bound is rounded down to them; one is for struct stackdepot. */
#define DEPOT_PAGE_BYTES 4096u
#define DEPOT_PRIVATE_BYTES DEPOT_PAGE_BYTES
#define DEPOT_LEVELS 6u
#define DEPOT_PAIRS (DEPOT_GROUP / 2) /* of frames, each hashed with a key */
#define DEPOT_KEYS (DEPOT_PAIRS + 3)  /* and as many as a ring entry has words to check */
#define DEPOT_DISMISSALS 7u

struct depot_line {
	atomic64_t link;
	atomic64_t state;
	/* One or two frames' 32 bits a word; in a wide line a whole frame. */
	uintptr_t low[DEPOT_WIDE];
#if DEPOT_FRAME_BITS > 32
	u64 high[DEPOT_GROUP / 4]; /* four frames' 16 bits a word */
#endif
};

#define LINK_NEXT (BIT_ULL(31) - 1)
#define LINK_DEAD BIT_ULL(31)
#define LINK_GENERATION_SHIFT 32

#define STATE_PARENT (BIT_ULL(27) - 1)
#define STATE_COUNT_SHIFT 27
#define STATE_COUNT (7ull << STATE_COUNT_SHIFT)
#define STATE_WIDE (BITS_PER_LONG > 32 ? BIT_ULL(30) : 0)
#define STATE_LIVE BIT_ULL(31)
#define STATE_TRACE BIT_ULL(32)
#define STATE_VISITED BIT_ULL(33)
#define STATE_STAMP_SHIFT 34
#define STATE_STAMP (0xffull << STATE_STAMP_SHIFT)
#define STATE_HALF_TURN BIT_ULL(41) /* of the stamp: longer than any lease */
#define STATE_KEPT BIT_ULL(42)
#define STATE_DISMISSED BIT_ULL(43)
#define STATE_REFERENCE_SHIFT 44
#define STATE_REFERENCE BIT_ULL(STATE_REFERENCE_SHIFT)
#define STATE_SATURATED (BIT_ULL(64 - STATE_REFERENCE_SHIFT) - 1)
#define STATE_FREE 1ull /* not live, with a parent: no other state looks so */

/*
 * What a depot counts. Kept in the header, each added to with a relaxed atomic; none on the path of
 * a save that finds its trace.
 */
enum depot_counter {
	COUNT_SAVED,
	COUNT_TRUNCATED,
	COUNT_LINES_ADDED,
	COUNT_EVICTIONS,
	COUNT_LEASES_BROKEN,
	COUNT_DUPLICATES,
	COUNT_SATURATED,
	COUNT_DROPS_PINNED,
	COUNT_DROPS_NO_EVICT,
	COUNT_DROPS_NO_MEMORY,
	COUNT_RING_DROPPED,
	COUNT_RING_STALE,
	COUNT_RING_UNUSED,
	COUNT_CHAINS_CUT,
	COUNT_NR = 16,
};

/* Fixed at creation. A file is believed only if the rest follows from the first numbers. */
struct depot_geometry {
	u64 max_bytes;
	u64 seed;
	u32 lines;
	u32 buckets;
	u32 ring_entries;
	u32 max_frames;
	u32 lease_ticks;
	u32 first_buckets; /* of the index before it grows: follows from `buckets` */
	u64 heads_offset;
	u64 candidates_offset;
	u64 ring_offset;
	u64 lines_offset;
	u64 total_bytes;
};

/* Words that different events write lie on different cache lines. */
struct depot_header {
	atomic64_t magic; /* where a word has 32 bits, the kernel stores nothing else whole */
	u32 version;
	u32 header_bytes;
	struct depot_geometry geometry;

	atomic64_t tick __aligned(DEPOT_CACHE_BYTES); /* the clock: read at every save */
	u32 digits;				      /* index.h; read at every search */
	u32 wide; /* not 0 once a line was wide; read when a trace was not found */

	u32 hand __aligned(DEPOT_CACHE_BYTES); /* where the search for a victim goes on */
	u32 dismissals[DEPOT_DISMISSALS]; /* candidates.h; written by those who move the hand */

	u32 fresh __aligned(DEPOT_CACHE_BYTES);		       /* lines ever used */
	atomic64_t ring_position __aligned(DEPOT_CACHE_BYTES); /* events ever, and what pens left */
	atomic64_t counters[COUNT_NR] __aligned(DEPOT_CACHE_BYTES);
};

struct depot_ring_entry {
	atomic64_t
		sequence; /* 2 x position + 2 when whole, odd while being written, 0: never used */
	u64 address;
	u64 size;
	u64 trace;
	u64 origin;
	u64 time;
	/* task : 32 | kind : 16 | positions claimed when it happened, less its own : 16 */
	u64 rest;
	u64 check; /* of all the others: ring.c */
};

struct stackdepot {
	struct depot_header *header;
	struct depot_geometry geometry; /* as it was checked; the header's may be written to */
	struct depot_line *lines;	/* lines[0] is never live */
	atomic64_t *heads;		/* version:32 | 0:1 | next:31, behind depot_head() */
	unsigned long *candidates[DEPOT_LEVELS];
	u32 candidate_words[DEPOT_LEVELS];
	struct depot_ring_entry *ring;
	u64 keys[DEPOT_KEYS];
	u32 nr_lines;
	u32 nr_buckets; /* of an index that has grown as far as it may */
	u32 first_buckets;
	u32 max_digits;
	u32 nr_levels;
	u32 ring_entries;
	u32 max_frames;
	u32 save_frames; /* max_frames, or 0 if nothing can be saved here */
	u32 lease_ticks;
	u32 line_bits;
	bool read_only;
	bool shared;	/* with other processes: a file */
	u8 variant;	/* the host's choice among its DEPOT_VARIANT()s */
	u64 host_bytes; /* that the host mapped */
};

static_assert(sizeof(uintptr_t) == sizeof(long), "a frame is a word");
static_assert(sizeof(struct depot_line) == DEPOT_LINE_BYTES, "a line has no holes");
static_assert(sizeof(struct depot_ring_entry) == DEPOT_CACHE_BYTES, "a ring entry is a cache line");
static_assert(sizeof(struct depot_header) % DEPOT_CACHE_BYTES == 0, "what follows is aligned");
static_assert(offsetof(struct depot_header, tick) % DEPOT_CACHE_BYTES == 0, "tick alone");
static_assert(sizeof(struct stackdepot) <= DEPOT_PRIVATE_BYTES, "the private part fits its page");
static_assert(STATE_HALF_TURN >> STATE_STAMP_SHIFT > STACKDEPOT_MAX_LEASE_TICKS,
	      "no lease is so long");
static_assert(STACKDEPOT_MAX_LINES == STATE_PARENT, "a parent can be any line");
static_assert(STACKDEPOT_MAX_FRAMES / 8 >= DEPOT_MAX_GROUPS, "a cursor has an entry a group");
static_assert(sizeof(enum depot_counter) && COUNT_CHAINS_CUT < COUNT_NR, "counters fit");

static inline u32 link_generation(u64 link)
{
	return (u32)(link >> LINK_GENERATION_SHIFT);
}

/* Does a link or a head lead to a line? Else the chain ends here. */
static inline bool link_is_line(u64 next)
{
	return next & LINK_NEXT;
}

static inline u32 state_parent(u64 state)
{
	return (u32)(state & STATE_PARENT);
}

static inline u32 state_count(u64 state)
{
	return (u32)((state & STATE_COUNT) >> STATE_COUNT_SHIFT) + 1;
}

static inline u32 state_references(u64 state)
{
	return (u32)(state >> STATE_REFERENCE_SHIFT);
}

static inline bool state_pinned(u64 state)
{
	return state & STATE_KEPT || state_references(state);
}

static inline u64 depot_stamp(const struct stackdepot *depot)
{
	return (atomic64_read(&depot->header->tick) & 0xff) << STATE_STAMP_SHIFT;
}

/* Ticks since the line was stamped, modulo 256. */
static inline u32 state_age(u64 state, u64 stamp_now)
{
	return (u32)((stamp_now - (state & STATE_STAMP)) >> STATE_STAMP_SHIFT & 0xff);
}

static inline void depot_count(struct stackdepot *depot, enum depot_counter counter)
{
	atomic64_inc(&depot->header->counters[counter]);
}

/* A line in one of its lives: generation:32 | number:32, the public 64-bit reference. */
static inline u64 depot_ref(u32 number, u64 link)
{
	return (link >> LINK_GENERATION_SHIFT << 32) | number;
}

static inline u32 depot_handle(const struct stackdepot *depot, u64 ref)
{
	const u32 handle_bits = 32 - STACKDEPOT_EXTRA_BITS;
	u32 generation = (u32)(ref >> 32);

	return ((generation << depot->line_bits) & ((1u << handle_bits) - 1)) | (u32)ref;
}

#endif
