/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* live_table.h - the table of live objects. */
#ifndef RECORDER_LIVE_TABLE_H
#define RECORDER_LIVE_TABLE_H

#include "recorder.h"

/* An entry of the table, as it was read. */
struct live_object {
	uint64_t size;
	stackdepot_handle_t handle; /* extra bits: rate */
	bool bare;		    /* no redzone of ours behind it */
	uint8_t tag;		    /* of the pointer that the program has, and TAGS_TOLD */
	uint8_t displaced;	    /* live.c's: not in its home, and which way */
	struct store_entry *entry;
};

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
/* Nothing is recorded from here on: a free is the allocator's. */
void live_stand_down(void);
void live_child(void);
/* Before a mapping has an entry in this bucket. */
void live_mark_mapping(uint32_t bucket);
/* Frees of this address are to be looked at; and no longer. */
void live_filter_add(uint64_t address);
void live_filter_drop(uint64_t address);

/* Which frees are looked at: all; those that the filter lets through; or none, as none of the
 * objects was recorded so far. */
enum live_frees { LIVE_FREES_PASS = -1, LIVE_FREES_LOOKED_AT, LIVE_FREES_FILTERED };

/*
 * While objects are sampled from the start on: how many in the table have an address like this, in
 * one way and in another? A look at the table is a hundred times as dear as one at these. Nearly
 * every free looks at the first, which therefore leaves room in the processor's first cache.
 */
#define LIVE_FILTER_BYTES (1u << 13)
#define LIVE_FILTER_REST_BYTES (1u << 16)
extern uint8_t live_filter[LIVE_FILTER_BYTES], live_filter_rest[LIVE_FILTER_REST_BYTES];
extern enum live_frees live_frees;

/* Neighbours on the heap are neighbours here: what is freed together shares cache lines. */
static inline uint8_t *live_filter_at(uint64_t address)
{
	return &live_filter[address / 16 % LIVE_FILTER_BYTES];
}

static_assert(LIVE_FILTER_REST_BYTES == 1ull << (64 - 48), "all that a shift by 48 leaves");

static inline uint8_t *live_filter_too(uint64_t address)
{
	/* a pointer's tag is no part of it */
	return &live_filter_rest[(address & ENTRY_ADDRESS) * 0x9e3779b97f4a7c15ull >> 48];
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
 * There is no room for an object of this home and rate: sample from here on, or more coarsely. True
 * if the object is still one to record, at the rate that its handle says then.
 */
bool live_make_room(struct recorder_thread *thread, uint32_t home, struct live_object *object);

#endif
