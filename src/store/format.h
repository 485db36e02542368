/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * format.h - the store file: what the recorder writes and the reader does not trust.
 *
 *	header | run | module table | errors | corpus | live | overflow | tallies | counters | depot
 *
 * Every place follows from three numbers in the header (total_bytes, corpus_events, sample_bytes is
 * not among them), so a reader computes the layout again instead of believing offsets. Each section
 * is one type of fixed-size record for the life of the file.
 *
 * The process may be killed between any two stores. Each record therefore has one word that makes
 * it valid, written last: a module's `state`, an error's `kind`, the address of a live entry.
 */
#ifndef STORE_FORMAT_H
#define STORE_FORMAT_H

#include <assert.h>
#include <stdint.h>

#include "stackdepot/stackdepot.h"

#define STORE_MAGIC 0x31524f5453504453ull /* "SDPSTOR1" */
#define STORE_VERSION 4u
#define STORE_PAGE_BYTES 4096u
#define STORE_MIN_BYTES (1ull << 20)
#define STORE_MAX_BYTES (1ull << 40)
#define STORE_COMMAND_BYTES 2048u
#define STORE_PATH_BYTES 396u
#define STORE_BUILD_ID_BYTES 32u
#define STORE_BUCKET_ENTRIES 4u

/* What became of the process, as far as it could tell itself. */
enum store_process_state {
	STORE_RUNNING = 1,
	STORE_EXITING = 2,  /* its destructors have begun */
	STORE_WAITED = 3,   /* wait_status holds what its parent was told */
	STORE_REPLACED = 4, /* by another program, with exec() */
};

/* What happened that the report has to own up to. */
#define STORE_FLAG_CHILD 0x1u	/* forked: objects older than the fork are in the parent's store */
#define STORE_FLAG_TRIMMED 0x4u /* blocks that hold nothing have been given back */
#define STORE_FLAG_UNSEEN 0x8u	/* something allocates and frees where we do not look */
#define STORE_FLAG_UNRECORDED 0x10u /* the recorder gave up at the start, and left a note why */

struct store_process {
	uint32_t pid;
	uint32_t parent;
	uint64_t start_ns; /* CLOCK_REALTIME */
	uint64_t start_monotonic_ns;
	uint64_t end_monotonic_ns;
	/* These tell it from others that have its number elsewhere or later; 0: not known. */
	uint64_t pid_namespace; /* inode */
	uint64_t start_ticks;	/* since boot, as /proc/PID/stat has it */
	uint32_t state;
	uint32_t wait_status;
	uint32_t flags;
	uint32_t command_bytes;
	char command[STORE_COMMAND_BYTES]; /* arguments, each ended by a NUL */
	uint32_t serial;		   /* of the process in its run */
	uint32_t reserved;
	uint64_t recorder_end; /* of the memory that the recorder's library itself has */
};

/* An allocator of the process that the recorder does not see. */
#define STORE_HEAPS 6u

struct store_heap {
	char allocator[32]; /* empty: none */
	char module[96];
};

/* Written often, by all threads; each an atomic add. */
struct store_counts {
	uint64_t live_objects;	 /* entries in use; updated in batches, so slightly off */
	uint64_t sample_bytes;	 /* rate at this moment, 0: every object */
	uint64_t thinnings;	 /* times the live table was thinned */
	uint64_t unrecorded;	 /* objects that found no entry */
	uint64_t foreign_frees;	 /* frees of objects that were never seen, passed on */
	uint64_t ended_unseen;	 /* objects whose memory was found to be others' */
	uint64_t doubts;	 /* of the frees passed on, those that look like errors */
	uint64_t errors_seen;	 /* errors, repeated ones too */
	uint64_t errors_dropped; /* of these, without a record as all were taken */
	uint64_t stackless;	 /* events without a trace */
	uint64_t nested;	 /* events inside an event: from a signal handler */
	uint64_t evicted_allocs; /* allocations of traces that were evicted, times 256 */
	uint64_t evicted_bytes;
	uint64_t threads; /* that have state now */
	uint64_t threads_peak;
	uint64_t tool_bytes; /* memory of the recorder outside the store */
	uint64_t tool_bytes_peak;
	uint64_t guarded; /* objects placed between guard pages */
	uint64_t quarantined;
	uint64_t modules_dropped;
	uint64_t corpus_next;
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
	uint64_t count; /* times it was seen */
	uint64_t value; /* bytes found where others should be */
	uint64_t reserved[2];
};

/*
 * One live object, 16 bytes. `key` holds the address, whose low bits are flags, and above it the
 * high bits of the size; `value` the low half of the size and the handle of the allocation, whose
 * extra bits are the logarithm of the sampling rate (0: recorded exactly).
 */
struct store_entry {
	uint64_t key;
	uint64_t value;
};

#define ENTRY_BUSY 0x1ull /* being filled, or being taken */
#define ENTRY_HELD 0x2ull /* freed, and the block not yet given back: not live */
#define ENTRY_BARE 0x4ull /* live, and nothing of ours lies behind it */
#define ENTRY_FLAGS 0x7ull
#define ENTRY_ADDRESS 0x0000fffffffffff8ull
#define ENTRY_MAX_SIZE ((1ull << 48) - 1)
#define ENTRY_RATE_SHIFT 5u /* a rate code of n stands for 2^(n + 5) bytes */
#define ENTRY_MAX_RATE_CODE 31u

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

#define STORE_TALLIES 256u /* of a thread */

struct store_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_bytes;
	uint64_t total_bytes;
	uint64_t corpus_events;
	uint64_t sample_bytes; /* as asked for */
	uint64_t depot_seed;
	uint64_t children;	      /* in the run's first store: programs and forks after it */
	uint64_t children_unrecorded; /* of these, beyond the limit */
	uint64_t notes_dropped; /* in the run's first store, as the next: no room in its run */
	uint64_t starts_dropped;
	struct store_counts counts __attribute__((aligned(64)));
	struct store_process process __attribute__((aligned(64)));
	struct store_heap unseen[STORE_HEAPS];
};

#define STORE_HEADER_BYTES 4096u

/*
 * What the processes of a run leave in its first store, whatever became of their own: nothing is
 * written to a descriptor of theirs.
 */
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
};

/* Header and run: what each process of a run keeps mapped of the first store. */
#define STORE_HEAD_BYTES (STORE_HEADER_BYTES + (uint32_t)sizeof(struct store_run))

static_assert(sizeof(struct store_note) == 512 && sizeof(struct store_start) == 256,
	      "layout of the file");
static_assert(STORE_HEAD_BYTES % STORE_PAGE_BYTES == 0, "the head is whole pages");
static_assert(sizeof(struct store_header) <= STORE_HEADER_BYTES, "the header is one page");
static_assert(sizeof(struct store_module) == 512, "modules do not straddle pages");
static_assert(sizeof(struct store_identity) % 8 == 0, "identities are compared by words");
static_assert(sizeof(struct store_error) == 128, "errors are two cache lines");
static_assert(sizeof(struct store_bucket) == 64, "a bucket is one cache line");
static_assert(sizeof(struct store_counter) == 24 && sizeof(struct store_tally) == 32,
	      "layout of the file");

static inline struct store_run *store_run(struct store_header *header)
{
	return (struct store_run *)((char *)header + STORE_HEADER_BYTES);
}

/* Where everything is; offsets from the start of the file. */
struct store_layout {
	uint64_t modules_offset; /* of the records; before them, in this order: */
	uint64_t dropped_offset; /* struct store_dropped */
	uint64_t index_offset;	 /* numbers of records */
	uint64_t errors_offset;
	uint64_t corpus_offset;
	uint64_t live_offset;
	uint64_t overflow_offset;
	uint64_t tallies_offset;
	uint64_t counters_offset;
	uint64_t depot_offset;
	uint64_t depot_bytes; /* in the file; one page less than the depot's max_bytes */
	uint32_t modules;
	uint32_t index_slots; /* a power of two */
	uint32_t errors;
	uint32_t buckets;
	uint32_t tally_sets; /* of STORE_TALLIES each */
	uint32_t lines;
	uint32_t ring_entries;
};

/* Places for a file of `total_bytes`; 0, or -EINVAL if that is out of range. */
int store_plan(uint64_t total_bytes, uint64_t corpus_events, struct store_layout *ret_layout);

/*
 * The home bucket of an address. What was allocated one after the other, as programs do, should be
 * found in the same few cache lines and pages: 64 bytes after 64 bytes of a page of addresses are
 * the buckets of a page of the table, and which one that is is hashed, multiplicatively.
 */
#define STORE_PAGE_BUCKETS ((uint32_t)(STORE_PAGE_BYTES / sizeof(struct store_bucket)))

static inline uint32_t store_home(uint64_t address, uint32_t buckets)
{
	uint64_t hash = (address / STORE_PAGE_BYTES) * 0x9e3779b97f4a7c15ull;
	uint64_t page = (hash >> 32) * (buckets / STORE_PAGE_BUCKETS) >> 32;

	return (uint32_t)(page * STORE_PAGE_BUCKETS + (address >> 6) % STORE_PAGE_BUCKETS);
}

static inline uint64_t store_entry_size(uint64_t key, uint64_t value)
{
	return (key >> 48) << 32 | value >> 32;
}

static inline uint64_t store_entry_key(uint64_t address, uint64_t size)
{
	return address | (size >> 32) << 48;
}

/*
 * Where an object goes whose home is full: buckets anywhere in the table, so that what crowds one
 * part of it spreads over all.
 */
#define STORE_SPILLS 16u

static inline uint32_t store_spill(uint64_t address, unsigned int number, uint32_t buckets)
{
	uint64_t hash = (address >> 3 ^ (uint64_t)number << 45) * 0xd6e8feb86659fd93ull;

	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93ull;
	return (uint32_t)((hash >> 32) * buckets >> 32);
}

static inline uint64_t store_entry_value(uint64_t size, stackdepot_handle_t handle)
{
	return size << 32 | handle;
}

#endif
