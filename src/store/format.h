/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * format.h - the store file: what the recorder writes and the reader does not trust.
 *
 *	header | run | processes | parts | heights | module table | errors | corpus | live |
 *	overflow | larges | lefts | peak stacks | tallies | counters | depot
 *
 * One file serves all processes of a run, and those of later runs that are given it. Every place
 * follows from two numbers in the header (total_bytes, corpus_events), so a reader computes the
 * layout again instead of believing offsets. Each section is one type of fixed-size record for the
 * life of the file.
 *
 * A process may be killed between any two stores. Each record therefore has one word that makes it
 * valid, written last: a process's `stage`, a module's `state`, an error's `kind`, the key of a
 * live entry. What belongs to a process says so: its slot is in the keys of its entries, in its
 * threads' tallies, and its serial number in errors and events.
 */
#ifndef STORE_FORMAT_H
#define STORE_FORMAT_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "stackdepot/stackdepot.h"
#include "stackdepot/store.h"

#define STORE_MAGIC 0x31524f5453504453ull /* "SDPSTOR1" */
#define STORE_VERSION 10u
#define STORE_PAGE_BYTES 4096u
#define STORE_MIN_BYTES (1ull << 20)
#define STORE_MAX_BYTES (1ull << 40)
#define STORE_COMMAND_BYTES 224u
#define STORE_PATH_BYTES 396u
#define STORE_BUILD_ID_BYTES 32u
#define STORE_BUCKET_ENTRIES 4u

/*
 * A process of the run has a slot: one of these records, from its start until the slot is needed.
 *
 *	free -> taken -> open ------> closed -----------> folding -> free, or a row
 *	         it begins  it records   it is gone, what    what it    its figures are
 *	                                 threads held of     held goes  the row's of its
 *	                                 it is given back    away       command
 *
 * A slot that is taken or open is its process's; the others are the reaper's (reap.h).
 */
enum store_stage {
	STORE_FREE,    /* `owner` says whether somebody has taken it */
	STORE_OPEN,    /* a process records, or did when it was killed */
	STORE_CLOSED,  /* it is gone; its entries are in the table of live objects */
	STORE_FOLDING, /* its figures are whole, its entries are being taken out */
	STORE_ROW,     /* sums over processes of one command that are gone */
};

/* What became of the process, as far as is known. */
enum store_process_state {
	STORE_RUNNING = 1,
	STORE_EXITING = 2,  /* its destructors have begun */
	STORE_WAITED = 3,   /* wait_status holds what its parent was told */
	STORE_REPLACED = 4, /* by another program, with exec() */
	STORE_VANISHED = 5, /* found gone */
};

/* A process that ends can wait until somebody has looked at its memory. */
enum store_exit {
	STORE_EXIT_NONE,
	STORE_EXIT_ASKS,    /* it waits to be looked at */
	STORE_EXIT_LOOKING, /* somebody is at it */
	STORE_EXIT_OVER,    /* it goes on: looked at, or tired of waiting */
};

/* Who looks at them. */
enum store_looker { STORE_LOOKER_TO_COME, STORE_LOOKER_HERE, STORE_LOOKER_GONE };

/* What happened that the report has to own up to. */
#define STORE_FLAG_OFF 0x2u	    /* for some time nothing was recorded, as was wanted */
#define STORE_FLAG_CHILD 0x1u	    /* forked: objects older than the fork are its parent's */
#define STORE_FLAG_UNSEEN 0x8u	    /* something allocates and frees where we do not look */
#define STORE_FLAG_UNRECORDED 0x10u /* the recorder gave up at the start, and left a note why */
#define STORE_FLAG_KILLED 0x40u /* it ended before it could say so, as far as its parent knows */
#define STORE_FLAG_LOCKED 0x20u /* the kernel holds a lock for as long as it has us mapped */

/* Of a process, written by all of its threads; each an atomic add. */
struct store_counts {
	uint64_t allocs;	 /* times 256; what threads have not told yet is in their tallies */
	uint64_t bytes;		 /* of these */
	uint64_t unrecorded;	 /* objects that found no entry */
	uint64_t foreign_frees;	 /* frees of objects that were never seen, passed on */
	uint64_t ended_unseen;	 /* objects whose memory was found to be others' */
	uint64_t doubts;	 /* of the frees passed on, those that look like errors */
	uint64_t errors_seen;	 /* errors, repeated ones too */
	uint64_t errors_dropped; /* of these, without a record as all were taken */
	uint64_t stackless;	 /* events without a trace */
	uint64_t nested;	 /* events inside an event: from a signal handler */
	uint64_t threads;	 /* that have state now */
	uint64_t threads_peak;
	uint64_t tool_bytes; /* memory of the recorder outside the store */
	uint64_t tool_bytes_peak;
	uint64_t guarded; /* objects placed between guard pages */
	uint64_t quarantined;
	uint64_t cpu_ns; /* while it kept its own share of the CPU time, and that share */
	uint64_t recorder_ns;
	/* Of one that is gone, and not in the table of live objects any more; objects times 256. */
	uint64_t left_objects;
	uint64_t left_bytes;
};

/* How a process records: enum stackdepot_mode, and its value above. */
#define STORE_MODE 0xffu
#define STORE_MODE_SHIFT 8u
/* A rate of a process: nothing is recorded. */
#define STORE_RATE_OFF (1ull << 63)

#define STORE_COUNTS (sizeof(struct store_counts) / sizeof(uint64_t))

/*
 * The low bits of `owner`: has he the lock of the slot, or could he not open the file to have it?
 * Whoever takes it from one that was killed before it was open adds STORE_OWNER_AGAIN, so that
 * nobody takes him for that one.
 */
#define STORE_OWNER_LOCKED 1u
#define STORE_OWNER_UNLOCKED 2u
#define STORE_OWNER_KIND 3u
#define STORE_OWNER_AGAIN 4u

struct store_process {
	uint64_t owner;	 /* not 0: somebody has taken it */
	uint32_t stage;	 /* enum store_stage */
	uint32_t serial; /* of the process in the run, from 1 */
	uint32_t pid;
	uint32_t parent;
	uint64_t start_ns; /* CLOCK_REALTIME */
	uint64_t start_monotonic_ns;
	uint64_t end_monotonic_ns;
	/* These tell it from others that have its number elsewhere or later; 0: not known. */
	uint64_t pid_namespace; /* inode */
	uint64_t start_ticks;	/* since boot, as /proc/PID/stat has it */
	uint64_t recorder_end;	/* of the memory that the recorder's library itself has */
	uint64_t sample_bytes;	/* no object of it is recorded at a finer rate; 0: all are */
	uint32_t state;		/* enum store_process_state */
	uint32_t wait_status;
	uint32_t flags;
	uint32_t heaps;	    /* a bit for each of the allocators that it has and nobody sees */
	uint32_t processes; /* that a row is about; 1 */
	uint32_t writes;    /* threads that may be writing a record of a module */
	uint32_t command_bytes;
	uint32_t coarsest; /* code of the coarsest rate that it ever had; 0: all were recorded */
	uint64_t control;  /* how it is to record: enum stackdepot_mode, and a value above */
	uint32_t at_exit;  /* enum store_exit; waited for, as a futex */
	uint32_t reserved;
	struct store_counts counts;
	char command[STORE_COMMAND_BYTES]; /* arguments, each ended by a NUL */
};

/*
 * Which parts of the table of live objects a process ever wrote to: a bit for each of so many equal
 * parts.
 */
#define STORE_PARTS 4096u

struct store_parts {
	uint64_t bits[STORE_PARTS / 64];
};

/*
 * How much a process has, and had at most; see peak.h. Bytes are estimates where objects are
 * sampled.
 */

/* What was live at some moment, by trace: a list of struct store_peak_stack. */
struct store_taken {
	uint64_t bytes;
	uint64_t objects;      /* times 256 */
	uint64_t time_ns;      /* CLOCK_MONOTONIC */
	uint64_t meanwhile;    /* bytes allocated by other threads while it was taken */
	uint64_t rest_objects; /* of these, what has no place in the list */
	uint64_t rest_bytes;
	uint32_t first; /* number of the first in the list, from 1 */
	uint32_t nr;
};

struct store_peak {
	uint64_t top_bytes; /* the most that was seen */
	uint64_t top_ns;
	uint32_t now; /* which of the two holds; the other is being taken, perhaps */
	uint32_t reserved;
	struct store_taken taken[2];
};

enum store_peak_of { STORE_PEAK_LIFE, STORE_PEAK_INTERVAL, STORE_PEAKS };

struct store_height {
	uint64_t live_bytes; /* what threads have not told yet is in their tallies */
	uint64_t step_bytes; /* a thread that is alone tells of no less */
	uint32_t serial;     /* of the process; in a row of the one with the highest peak */
	uint32_t wanted;     /* number of the interval that somebody asked for */
	uint32_t begun;	     /* and of the one that the second peak is of */
	uint32_t reserved;
	struct store_peak peaks[STORE_PEAKS];
};

struct store_peak_stack {
	uint64_t trace;
	uint32_t owner;	  /* 0: free; else slot + 1, above 16 bits a rate, and whose snapshot */
	uint32_t next;	  /* in its list */
	uint64_t objects; /* times 256 */
	uint64_t bytes;
};

#define PEAK_SLOT 0xffffu
#define PEAK_RATE_SHIFT 16u
#define PEAK_SNAPSHOT_SHIFT 24u
#define PEAK_CLAIMED (1u << 30) /* and not in the list yet */

/* An allocator of some processes that the recorder does not see. */
#define STORE_HEAPS 32u

struct store_heap {
	uint32_t state; /* enum store_record_state */
	uint32_t reserved;
	char allocator[32];
	char module[88];
};

/* Of all processes together. */
struct store_totals {
	uint64_t live_objects;	 /* entries in use; updated in batches, so slightly off */
	uint64_t evicted_allocs; /* allocations of traces that were evicted, times 256 */
	uint64_t evicted_bytes;
	uint64_t left_objects; /* what processes left, of traces that have no place among `left` */
	uint64_t left_bytes;
	uint64_t thinnings; /* times the live table was thinned */
	uint64_t thinning;  /* since when somebody is at it, CLOCK_MONOTONIC; 0: nobody */
	uint64_t modules_dropped;
	uint64_t heaps_dropped;
	uint64_t processes_dropped; /* that found no slot */
	uint64_t corpus_next;
	uint64_t notes_dropped;
	uint64_t starts_dropped;
	uint64_t folded;      /* processes that have no slot of their own any more */
	uint64_t folded_none; /* when a process that began found none to fold, by CLOCK_MONOTONIC */
	uint64_t uncertain;   /* deaths amid an event; made good when nobody else is there */
	uint64_t repaired;    /* references and lines that were nobody's */
};

/*
 * What makes a file that was mapped this one, whichever process maps it, and wherever: its
 * build-id, or, without one, what the file system tells. See module_table.h.
 */
struct store_identity {
	uint64_t base;	      /* its lowest address, in the file */
	uint64_t bytes;	      /* from there to its end */
	uint64_t file_device; /* of a file without build-id, as the next four */
	uint64_t file_inode;
	uint64_t file_bytes;	/* 0, as those beside it: not known */
	uint64_t file_mtime_ns; /* CLOCK_REALTIME */
	uint64_t headers;	/* hash of its program headers */
	uint64_t process;	/* the one it is alone of, if nothing is known of the file */
	uint8_t build_id[STORE_BUILD_ID_BYTES];
	uint32_t build_id_bytes;
	uint32_t reserved;
};

struct store_module {
	uint64_t state; /* enum store_record_state, and above 32 bits who writes it */
	struct store_identity identity;
	uint32_t path_bytes;
	char path[STORE_PATH_BYTES]; /* for people */
};

/* Of an access by a tag: another object that may have been meant. */
struct store_candidate {
	uint64_t object;
	uint64_t alloc_trace;
	uint64_t free_trace;
	uint32_t object_bytes;
	uint32_t flags; /* STACKDEPOT_ERROR_FREED */
	uint32_t alloc_thread;
	uint32_t free_thread;
};

#define STORE_CANDIDATES 2u
#define STORE_TAG_BITS 4u /* so many a granule, from the lowest of a word on */
#define STORE_TAG_WORDS 3u

struct store_error {
	uint32_t kind; /* enum stackdepot_error_kind, 0: no record */
	uint32_t signal;
	uint64_t time_ns;
	uint64_t address; /* the pointer or the place that is wrong */
	uint64_t object;  /* start of the object, 0: none known */
	uint64_t object_bytes;
	uint64_t access_trace;
	uint64_t alloc_trace;
	uint64_t free_trace;
	uint64_t alloc_ns;
	uint64_t free_ns;
	uint32_t thread;
	uint32_t alloc_thread; /* 0: not known any more */
	uint32_t free_thread;
	uint32_t flags;
	uint64_t count;	    /* times it was seen */
	uint64_t value;	    /* bytes found where others should be */
	uint32_t process;   /* serial of the one that met it first */
	uint32_t processes; /* that met it */
	uint32_t pid;
	uint8_t pointer_tag; /* these, if it has STACKDEPOT_ERROR_TAGGED */
	uint8_t memory_tag;
	uint8_t nr_tags; /* of granules from tags_start on */
	uint8_t nr_candidates;
	uint64_t tags_start;
	uint64_t tags[STORE_TAG_WORDS];
	struct store_candidate candidates[STORE_CANDIDATES];
	uint64_t unused[2];
};

/*
 * One live object, 16 bytes.
 *
 *	key:	address / 8 : 45 | mapping : 1 | slot of its process : 15 | flags : 3
 *	value:	size : 32 | handle of its allocation : 32
 *
 * The handle's extra bits are the logarithm of the sampling rate (0: recorded exactly). A size that
 * has no room is ENTRY_LARGE, and in the table of large ones.
 */
struct store_entry {
	uint64_t key;
	uint64_t value;
};

#define ENTRY_BUSY 0x1ull /* being filled, or being taken */
#define ENTRY_HELD 0x2ull /* freed, and the block not yet given back: not live */
#define ENTRY_BARE 0x4ull /* live, and nothing of ours lies behind it */
#define ENTRY_FLAGS 0x7ull
#define ENTRY_SLOT_SHIFT 3u
#define ENTRY_MAX_SLOTS (1u << 15)
#define ENTRY_ADDRESS_SHIFT 16u
#define ENTRY_ADDRESS 0x0000fffffffffff8ull
/*
 * A mapping of the program's own has an entry as well, whose key has this bit; an address has none
 * to spare, as processes of arm64 use all 48. ENTRY_BARE: it is the recorder's. It is no object: no
 * reader of these sees it, and it has no weight in sums, nor a rate.
 */
#define STORE_MAPPING (1ull << 18)
#define ENTRY_LARGE UINT32_MAX
#define ENTRY_MAX_SIZE ((1ull << 48) - 1)
#define ENTRY_RATE_SHIFT 5u /* a rate code of n stands for 2^(n + 5) bytes */
#define ENTRY_MAX_RATE_CODE 31u

/* The size of an object of 4 GiB and more; found by the key of its entry, without flags. */
struct store_large {
	uint64_t key; /* 0: free */
	uint64_t size;
};

#define STORE_LARGES 256u

struct store_bucket {
	struct store_entry entry[STORE_BUCKET_ENTRIES];
};

/* What was ever allocated from one trace; found by the number of the trace's line. */
struct store_counter {
	uint64_t life;	 /* of the line: generation of the trace the rest belongs to */
	uint64_t allocs; /* times 256, as an estimate need not be whole */
	uint64_t bytes;
};

/*
 * What a thread has counted of a trace and not yet added to its counter. Only the thread writes it;
 * it is in use if `trace` is not 0, and then holds references, so the trace is there.
 */
struct store_tally {
	uint64_t trace;
	uint64_t allocs; /* as in struct store_counter */
	uint64_t bytes;
	uint32_t handle;
	uint32_t references; /* one for itself, the others for objects to come */
};

/* An event's address: of which process it is, by the end of its serial number, and 48 bits. */
#define STORE_EVENT_ADDRESS 0x0000ffffffffffffull
#define STORE_EVENT_PROCESS_SHIFT 48u
/* Its size: below the tag of the pointer. */
#define STORE_EVENT_SIZE 0x00ffffffffffffffull
#define STORE_EVENT_TAG_SHIFT 56u
/*
 * Its kind: STACKDEPOT_ALLOC, STACKDEPOT_FREE, or a free by the thread that allocated. Where one
 * thread does all, allocations are told by the origin of their free; a few have events besides, for
 * the time.
 */
#define STORE_EVENT_FREE_OWN 3u

static inline bool store_event_is_free(uint32_t kind)
{
	return kind != STACKDEPOT_ALLOC;
}

#define STORE_TALLIES 256u /* of a thread */
#define STORE_MAX_TALLY_SETS 256u

/* What a thread has in the store for itself. */
struct store_tally_set {
	uint32_t thread;
	int32_t live_delta; /* entries that are not yet among live_objects */
	int64_t live_bytes; /* not yet among those of the process */
	uint64_t stack;	    /* an address on the thread's */
	uint32_t reserved[10];
	struct store_tally tally[STORE_TALLIES];
};

/* The size of a large object, by the place of its entry; ENTRY_LARGE if it is not known. */
uint64_t store_large_size(const struct store_large *larges, uint64_t place);
/* A size for an entry that is to have this place. False: there is no room. */
bool store_large_put(struct store_large *larges, uint64_t place, uint64_t size);
void store_large_drop(struct store_large *larges, uint64_t place);

/* What processes that are gone left behind of one trace. Written by reapers. */
struct store_left {
	uint64_t trace;	  /* 0: free */
	uint64_t objects; /* times 256 */
	uint64_t bytes;
};

#define STORE_LEFT_PROBE 16u

/*
 * What a reaper is about to do. If he is killed, the next one does it: to set values
 * twice is to set them.
 */
enum store_step { STORE_STEP_NONE, STORE_STEP_LEFT, STORE_STEP_ROW };

struct store_journal {
	uint32_t step;	 /* enum store_step; valid if it is not 0 */
	uint32_t index;	 /* of the place among `left`, or of the row */
	uint32_t slot;	 /* whose figures go into the row */
	uint32_t serial; /* of its process */
	uint64_t entry;	 /* index of the entry that goes, and its key */
	uint64_t key;
	uint64_t rest_objects; /* left_objects and left_bytes of the totals, as they will be */
	uint64_t rest_bytes;
	struct store_left left;
	struct store_process row;
};

#define STORE_MAX_SLOTS 16384u

struct store_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_bytes;
	uint64_t total_bytes;
	uint64_t corpus_events;
	uint64_t control; /* of programs that begin, whatever they were told; 0: as they were */
	uint64_t depot_seed;
	uint32_t locks_hold; /* a lock of a file is held by who has mapped it */
	uint32_t trimmed;    /* blocks that hold nothing have been given back */
	uint64_t sample_bytes
		__attribute__((aligned(64)));	      /* rate at this moment, 0: every object */
	uint32_t serial __attribute__((aligned(64))); /* of the process that began last */
	uint32_t next_slot;			      /* where a free one may be */
	uint32_t folding; /* slot that is being folded, or may be, + 1; 0: none */
	uint32_t exits;	  /* counts processes that ask to be looked at; waited for, as a futex */
	uint32_t looker;  /* enum store_looker */
	uint32_t reaping; /* a reaper is at it, or was killed in it */
	struct store_totals totals __attribute__((aligned(64)));
	struct store_journal journal __attribute__((aligned(64)));
	uint64_t open[STORE_MAX_SLOTS / 64]; /* slots that are taken and not closed */
	/* Whose each set of tallies is: slot of the process + 1; 0: free. */
	uint16_t tally_owners[STORE_MAX_TALLY_SETS];
};

#define STORE_HEADER_BYTES 4096u

/* What processes leave for all to read, whether they are recorded or not. */
enum store_record_state { STORE_RECORD_FREE, STORE_RECORD_BUSY, STORE_RECORD_VALID };

/* A line for the user; the same again, from whichever process, is counted. */
struct store_note {
	uint32_t state;
	uint32_t pid; /* who said it first */
	uint32_t count;
	uint32_t text_bytes;
	char text[496];
};

/* Programs that were about to be started, by their file, and those of them whose recorder began. */
struct store_start {
	uint32_t state;
	uint32_t reason; /* enum stackdepot_start_reason: why it may not be recorded */
	uint32_t started;
	uint32_t arrived;
	uint64_t device;
	uint64_t inode;
	uint32_t reserved;
	uint32_t path_bytes;
	char path[216];
};

#define STORE_NOTES 32u
#define STORE_STARTS 64u

struct store_run {
	struct store_note notes[STORE_NOTES];
	struct store_start starts[STORE_STARTS];
	struct store_heap heaps[STORE_HEAPS];
};

/* Header and run: what a process keeps mapped that could not be recorded, to say so. */
#define STORE_HEAD_BYTES (STORE_HEADER_BYTES + (uint32_t)sizeof(struct store_run))

static_assert(sizeof(struct store_note) == 512 && sizeof(struct store_start) == 256,
	      "layout of the file");
static_assert(STORE_HEAD_BYTES % STORE_PAGE_BYTES == 0, "the head is whole pages");
static_assert(sizeof(struct store_header) <= STORE_HEADER_BYTES, "the header is one page");
static_assert(sizeof(struct store_module) == 512, "modules do not straddle pages");
static_assert(sizeof(struct store_identity) % 8 == 0, "identities are compared by words");
static_assert(sizeof(struct store_error) == 256, "errors are whole cache lines");
static_assert(STORE_CANDIDATES == STACKDEPOT_ERROR_CANDIDATES &&
		      STORE_TAG_WORDS * 64 / STORE_TAG_BITS == STACKDEPOT_ERROR_TAGS,
	      "the same in the file and outside");
static_assert(sizeof(struct store_bucket) == 64, "a bucket is one cache line");
static_assert(STORE_MAX_SLOTS <= ENTRY_MAX_SLOTS && STORE_MAPPING == (uint64_t)ENTRY_MAX_SLOTS
									     << ENTRY_SLOT_SHIFT,
	      "a key has room for both");
static_assert(sizeof(struct store_counter) == 24 && sizeof(struct store_tally) == 32 &&
		      sizeof(struct store_left) == 24,
	      "layout of the file");
static_assert(sizeof(struct store_process) == 512 && sizeof(struct store_parts) == 512,
	      "slots do not straddle pages");
static_assert(sizeof(struct store_height) == 304 && sizeof(struct store_peak_stack) == 32,
	      "layout of the file");
static_assert(sizeof(struct store_heap) == 128, "heaps do not straddle pages");
static_assert(sizeof(struct store_tally_set) % 64 == 0, "what a thread has is its own lines");

/* The first slot from this one on that is taken and not closed; `slots` if there is none. */
static inline uint32_t store_next_open(const struct store_header *header, uint32_t slot,
				       uint32_t slots)
{
	while (slot < slots) {
		uint64_t word = __atomic_load_n(&header->open[slot / 64], __ATOMIC_ACQUIRE);

		word &= ~0ull << slot % 64;
		if (word)
			return (slot & ~63u) + (uint32_t)__builtin_ctzll(word);
		slot = (slot | 63u) + 1;
	}
	return slots;
}

/* The first part from this one on that a process ever wrote to; STORE_PARTS if there is none. */
static inline uint32_t store_next_part(const struct store_parts *parts, uint32_t part)
{
	while (part < STORE_PARTS) {
		uint64_t word = __atomic_load_n(&parts->bits[part / 64], __ATOMIC_RELAXED);

		word &= ~0ull << part % 64;
		if (word)
			return (part & ~63u) + (uint32_t)__builtin_ctzll(word);
		part = (part | 63u) + 1;
	}
	return STORE_PARTS;
}

static inline struct store_run *store_run(struct store_header *header)
{
	return (struct store_run *)((char *)header + STORE_HEADER_BYTES);
}

/* Where everything is; offsets from the start of the file. */
struct store_layout {
	uint64_t processes_offset;
	uint64_t parts_offset;
	uint64_t heights_offset;
	uint64_t modules_offset; /* of the records; before them, in this order: */
	uint64_t dropped_offset; /* struct store_dropped */
	uint64_t index_offset;	 /* numbers of records */
	uint64_t errors_offset;
	uint64_t corpus_offset;
	uint64_t live_offset;
	uint64_t overflow_offset;
	uint64_t larges_offset;
	uint64_t lefts_offset;
	uint64_t peak_stacks_offset;
	uint64_t tallies_offset;
	uint64_t counters_offset;
	uint64_t depot_offset;
	uint64_t depot_bytes; /* in the file; one page less than the depot's max_bytes */
	uint32_t modules;
	uint32_t index_slots; /* a power of two */
	uint32_t errors;
	uint32_t buckets;
	uint32_t part_shift; /* each of the STORE_PARTS of the table has 2^part_shift buckets */
	uint32_t slots;
	uint32_t lefts;
	uint32_t peak_stacks;
	uint32_t tally_sets;
	uint32_t lines;
	uint32_t ring_entries;
};

/* Places for a file of `total_bytes`; 0, or -EINVAL if that is out of range. */
int store_plan(uint64_t total_bytes, uint64_t corpus_events, struct store_layout *ret_layout);

/* An address in a process: the key of its entry, without flags. */
static inline uint64_t store_place(uint64_t address, uint32_t slot)
{
	return (address & ENTRY_ADDRESS) << ENTRY_ADDRESS_SHIFT | (uint64_t)slot
									  << ENTRY_SLOT_SHIFT;
}

static inline uint64_t store_key_address(uint64_t key)
{
	return key >> ENTRY_ADDRESS_SHIFT & ENTRY_ADDRESS;
}

static inline uint32_t store_key_slot(uint64_t key)
{
	return (uint32_t)(key >> ENTRY_SLOT_SHIFT) & (ENTRY_MAX_SLOTS - 1);
}

/*
 * The home bucket of a place. What was allocated one after the other, as programs do, should be
 * found in the same few cache lines and pages. So 128 bytes after 128 bytes of addresses are the
 * buckets of the table, one after the other: an allocator's smallest blocks are 32 bytes, and four
 * fit. Where a region of addresses begins in the table is hashed, multiplicatively, with the
 * process: those that were forked have the same addresses. A region takes half of the table or
 * more, so that what lies in one does not meet.
 */
#define STORE_PAGE_BUCKETS ((uint32_t)(STORE_PAGE_BYTES / sizeof(struct store_bucket)))
#define STORE_BUCKET_SHIFT 7   /* of the addresses of a bucket */
#define STORE_MAPPING_SHIFT 14 /* of those that mappings begin at, which are pages */

/* One of the buckets of a place, each as if its region began elsewhere; the first is its home. Two
 * regions that begin alike in one of them do not in the others. */
static inline uint32_t store_choice_of(uint64_t place, unsigned int shift, unsigned int number,
				       uint32_t buckets)
{
	const int bits = 31 - __builtin_clz(buckets);
	const uint64_t at = place >> (ENTRY_ADDRESS_SHIFT + shift);
	const uint64_t region = at >> bits | place << (48 - ENTRY_SLOT_SHIFT);
	uint64_t hash = region * 0x9e3779b97f4a7c15ull;
	uint32_t bucket;

	if (number) {
		hash += number * 0xd6e8feb86659fd93ull;
		hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93ull;
	}
	bucket = (uint32_t)((hash >> 32) * (buckets / STORE_PAGE_BUCKETS) >> 32) *
		 STORE_PAGE_BUCKETS;
	bucket += (uint32_t)(at & ((1ull << bits) - 1));
	return bucket < buckets ? bucket : bucket - buckets;
}

static inline uint32_t store_choice(uint64_t place, unsigned int number, uint32_t buckets)
{
	return store_choice_of(place, STORE_BUCKET_SHIFT, number, buckets);
}

static inline uint32_t store_home(uint64_t place, uint32_t buckets)
{
	return store_choice(place, 0, buckets);
}

/* Of an object or a mapping; those of a library lie in one page of the table. */
static inline uint32_t store_home_of_any(uint64_t place, uint32_t buckets)
{
	return place & STORE_MAPPING ? store_choice_of(place, STORE_MAPPING_SHIFT, 0, buckets)
				     : store_home(place, buckets);
}

/*
 * Where an object goes whose home is full: first where its neighbours go, whose homes are mostly
 * full then, too, so that all of them take few pages; then anywhere in the table, so that what
 * crowds one part of it spreads over all.
 */
#define STORE_SPILLS 24u
#define STORE_SPILLS_TOGETHER 8u

static inline uint32_t store_spill(uint64_t place, unsigned int number, uint32_t buckets)
{
	uint64_t hash = (place ^ (uint64_t)(number + 1) << 59) * 0xd6e8feb86659fd93ull;

	if (number < STORE_SPILLS_TOGETHER)
		return store_choice(place, number + 1, buckets);
	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93ull;
	return (uint32_t)((hash >> 32) * buckets >> 32);
}

static inline bool store_is_mapping(uint64_t key)
{
	return key & STORE_MAPPING;
}

static inline uint64_t store_entry_value(uint64_t size, stackdepot_handle_t handle)
{
	return (size < ENTRY_LARGE ? size : ENTRY_LARGE) << 32 | handle;
}

/* Where the size of a large object may be: places that are looked at one after the other. */
static inline uint32_t store_large_home(uint64_t place)
{
	return (uint32_t)(place * 0x9e3779b97f4a7c15ull >> 32) % STORE_LARGES;
}

/* Where a trace may be among what was left. */
static inline uint32_t store_left_home(uint64_t trace, uint32_t lefts)
{
	return (uint32_t)(((uint32_t)trace * 0x9e3779b1ull & UINT32_MAX) * lefts >> 32);
}

#endif
