/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * live.c - the table of live objects, 16 bytes each, in the store, for all processes of the run.
 *
 * Buckets of one cache line, open addressing: the home bucket and the seven behind it, and where
 * these are full one of 24 others (store/live.h). No tombstones: an entry is free
 * when its key is 0, and a search that found nothing at home goes on only if the home's
 * overflow counts say that some of its objects live elsewhere. A *place* is an address in a
 * process.
 *
 *	home ->  [ k v | k v | k v | k v ]   overflow[home] = objects of this home
 *	                                     bits 0 to 3: behind it, 4 to 7: anywhere
 *
 * Objects of two pages of addresses have homes in one page of the table, which holds 256. An
 * allocator that packs them has up to 1,024 there: the others go anywhere, so that no part of the
 * table is full while another is empty.
 *
 * (a) An address belongs to one thread from the allocator's return to the allocator's free, so
 *     nobody else inserts or takes it, but in a program that frees twice.
 * (b) Whoever inserts an entry sets ENTRY_BUSY with a CAS; only he writes value, and he ends with a
 *     release store of the key. Whoever takes one sets ENTRY_HELD with a CAS, and clears the key
 *     before the allocator gets the block. Of two that free one object, the CAS lets one through.
 * (c) Nobody waits for an entry. A busy one is passed over: it is another object's, or (b) already
 *     somebody's.
 * (d) overflow[home] counts an object before its key is stored, and until after it is cleared, and
 *     so does a count of this process alone; so a search that reads 0 misses nothing. At 15 a
 *     count stays: searches of this home are longer from then on.
 * (e) Killed at any moment: an entry that is not busy is whole. At most one per thread is lost.
 * (f) A held entry is of a block that we keep: its address cannot be anybody's object. That is what
 *     makes a double free certain.
 *
 * When the table is 7/8 full, live_thin() goes over to sampling, or doubles the rate: it drops
 * objects by chance so that each that stays stands for 1 / p of its kind, p what a sampler of the
 * new rate would have taken it with. The rate is written in each entry, so entries of several rates
 * live together. The same is done when an object finds no room.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "attach.h"
#include "filter.h"
#include "guard.h"
#include "height.h"
#include "live.h"
#include "live_table.h"
#include "probe.h"
#include "recorder.h"
#include "slot.h"
#include "tally.h"
#include "weight.h"

#define BATCH 64
#define SPINS 10000u
#define LIVE_ELSEWHERE 16384u
#define THIN_TRIES 50u
#define THIN_PATIENCE_NS 1000000000ull /* for who thins the table, and may have been killed */

uint8_t live_filter[LIVE_FILTER_BYTES], live_filter_rest[LIVE_FILTER_REST_BYTES];
enum live_frees live_frees;
/* How many of this process's objects that are not at home have an address like this. The counts of
 * homes are of all processes, mostly of such as are gone. */
static uint8_t live_elsewhere[LIVE_ELSEWHERE];
static bool live_any_elsewhere;

static void live_byte_inc(uint8_t *byte)
{
	uint8_t old = load_relaxed(byte);

	while (old != 255 && !__atomic_compare_exchange_n(byte, &old, (uint8_t)(old + 1), false,
							  __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
}

static void live_byte_dec(uint8_t *byte)
{
	uint8_t old = load_relaxed(byte);

	while (old != 255 && old &&
	       !__atomic_compare_exchange_n(byte, &old, (uint8_t)(old - 1), false, __ATOMIC_SEQ_CST,
					    __ATOMIC_RELAXED))
		;
}

static void live_filter_let(uint64_t address)
{
	live_byte_inc(live_filter_at(address));
	live_byte_inc(live_filter_too(address));
}

void live_filter_add(uint64_t address)
{
	if (live_frees == LIVE_FREES_PASS)
		live_frees = LIVE_FREES_FILTERED;
	if (live_frees)
		live_filter_let(address);
}

void live_filter_drop(uint64_t address)
{
	if (!live_frees)
		return;
	live_byte_dec(live_filter_at(address));
	live_byte_dec(live_filter_too(address));
}

/* What the loader took from the bootstrap buffer must not get to the allocator. */
void live_filter_setup(void)
{
	size_t i, bytes;
	const char *used = real_bootstrap_used(&bytes);

	for (i = 0; i < bytes; i += 16)
		live_filter_let((uintptr_t)(used + i));
	live_frees = bytes ? LIVE_FREES_FILTERED : LIVE_FREES_PASS;
}

void live_stand_down(void)
{
	if (live_frees == LIVE_FREES_LOOKED_AT)
		live_filter_setup();
	/* A forked child has its parent's guarded objects. */
	if (live_frees == LIVE_FREES_PASS && guard_low)
		live_frees = LIVE_FREES_FILTERED;
}

static uint8_t *live_elsewhere_at(uint64_t place)
{
	return &live_elsewhere[store_key_address(place) / 16 % LIVE_ELSEWHERE];
}

/* (d) */
static void live_count_displaced(uint64_t place, uint8_t way, bool more)
{
	if (more) {
		store_relaxed(&live_any_elsewhere, true);
		live_byte_inc(live_elsewhere_at(place));
	}
	live_displaced(&recorder.overflow[store_home(place, recorder.layout.buckets)], way, more);
	if (!more && store_key_slot(place) == recorder.slot)
		live_byte_dec(live_elsewhere_at(place));
}

/* As live_displaced() counts them; 0: the place is at home, or not in the table. */
static inline uint8_t live_displaced_of(uint64_t place, uint32_t home)
{
	return likely(!load_relaxed(live_elsewhere_at(place)))
		       ? 0
		       : load_relaxed(&recorder.overflow[home]);
}

/* In a forked child: its parent's are not its own. */
void live_child(void)
{
	if (live_any_elsewhere)
		memset(live_elsewhere, 0, sizeof(live_elsewhere));
	live_any_elsewhere = false;
}

static bool live_cas(uint64_t *key, uint64_t expected, uint64_t desired)
{
	return __atomic_compare_exchange_n(key, &expected, desired, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static uint32_t live_bucket(uint32_t home, uint32_t distance)
{
	return live_bucket_behind(home, distance, recorder.layout.buckets);
}

#define LIVE_FEW 128u /* parts; a process that never has more does not touch most of their pages */

static __attribute__((noinline)) void live_mark_first(uint32_t bucket, uint64_t *bits, uint64_t bit)
{
	static uint32_t marked;

	/* writes nothing, and is one fault of the page where a look and a write are two */
	(void)live_cas(&recorder.buckets[bucket].entry[0].key, 0, 0);
	/* of samples, too, there are few in a piece */
	if (fetch_add_relaxed(&marked, 1) >= LIVE_FEW && !recorder_rate())
		attach_populate(&recorder.buckets[bucket]);
	(void)__atomic_fetch_or(bits, bit, __ATOMIC_SEQ_CST);
}

/* Before an entry of this bucket is anybody's: who is gone is looked for in its parts alone. */
static inline void live_mark(uint32_t bucket)
{
	const uint32_t part = bucket >> recorder.layout.part_shift;
	uint64_t *bits = &recorder.parts->bits[part / 64], bit = 1ull << part % 64;

	if (unlikely(!(load_relaxed(bits) & bit)))
		live_mark_first(bucket, bits, bit);
}

void live_mark_mapping(uint32_t bucket)
{
	live_mark(bucket);
}

/* So many more, or fewer, in the table; whoever fills it beyond 7/8 makes room. */
static __attribute__((noinline)) void live_count_all(struct store_tally_set *own, int delta)
{
	const uint64_t capacity = (uint64_t)recorder.layout.buckets * STORE_BUCKET_ENTRIES;
	uint64_t *objects = &recorder.header->totals.live_objects;
	const uint64_t change = (uint64_t)(int64_t)delta;

	if (own)
		store_relaxed(&own->live_delta, 0);
	if ((int64_t)(fetch_add_relaxed(objects, change) + change) > (int64_t)(capacity / 8 * 7) &&
	    delta > 0)
		live_thin();
}

/* Keep count, in batches. */
static inline void live_count(struct recorder_thread *thread, int add)
{
	struct store_tally_set *own = thread ? thread->tallies : NULL;
	const int delta = own ? own->live_delta + add : add;

	if (likely(own && delta < BATCH && delta > -BATCH))
		store_relaxed(&own->live_delta, delta);
	else
		live_count_all(own, delta);
}

static size_t live_number(const struct store_entry *entry)
{
	return (size_t)(entry - recorder.buckets[0].entry);
}

static void live_fill_entry(struct store_entry *entry, uint64_t place,
			    const struct live_object *object)
{
	probe_alloc(place, object);
	store_relaxed(&entry->value, store_entry_value(object->size, object->handle));
	tags_note(live_number(entry), object->tag);
	store_release(&entry->key, place | (object->bare ? ENTRY_BARE : 0));
}

static bool live_claim(uint32_t bucket, uint64_t place, const struct live_object *object)
{
	struct store_entry *entry = recorder.buckets[bucket].entry;
	unsigned int i;

	live_mark(bucket);
	for (i = 0; i < STORE_BUCKET_ENTRIES; i++, entry++) {
		if (load_relaxed(&entry->key))
			continue;
		if (!live_cas(&entry->key, 0, place | ENTRY_BUSY))
			continue;
		live_fill_entry(entry, place, object);
		return true;
	}
	return false;
}

static bool live_claim_behind(uint32_t home, uint64_t place, const struct live_object *object)
{
	uint32_t distance;

	live_count_displaced(place, LIVE_BEHIND, true);
	for (distance = 1; distance < LIVE_PROBE && distance < recorder.layout.buckets; distance++)
		if (live_claim(live_bucket(home, distance), place, object))
			return true;
	live_count_displaced(place, LIVE_BEHIND, false);
	return false;
}

static bool live_claim_anywhere(uint32_t home, uint64_t place, const struct live_object *object)
{
	const uint32_t buckets = recorder.layout.buckets;
	unsigned int i;

	live_count_displaced(place, LIVE_ANYWHERE, true);
	for (i = 0; i < STORE_SPILLS; i++) {
		uint32_t bucket = store_spill(place, i, buckets);

		/* live_way() tells from the bucket which way a place came there */
		if (!live_is_behind(home, bucket, buckets) && live_claim(bucket, place, object))
			return true;
	}
	live_count_displaced(place, LIVE_ANYWHERE, false);
	return false;
}

/*
 * Of an address that is the caller's, an entry is busy while it is thinned: for a moment, unless
 * that thread was stopped in it. (c) Nobody waits longer than that; what is passed over then is a
 * sampled object less.
 */
static uint64_t live_settle(const struct store_entry *entry)
{
	unsigned int spins = 0;
	uint64_t key;

	do
		key = load_acquire(&entry->key);
	while (key & ENTRY_BUSY && ++spins < SPINS);
	return key;
}

/* The entry of a place in a bucket, live or held. */
static inline __attribute__((always_inline)) bool
live_look(uint32_t bucket, uint64_t place, struct store_entry **ret_entry, uint64_t *ret_key)
{
	struct store_entry *entry = recorder.buckets[bucket].entry;
	unsigned int i;

	for (i = 0; i < STORE_BUCKET_ENTRIES; i++, entry++) {
		uint64_t key = load_acquire(&entry->key);

		if (likely((key & ~ENTRY_FLAGS) != place))
			continue;
		if (unlikely(key & ENTRY_BUSY))
			key = live_settle(entry);
		if (key & ENTRY_BUSY || (key & ~ENTRY_FLAGS) != place)
			continue;
		*ret_entry = entry;
		*ret_key = key;
		return true;
	}
	return false;
}

static __attribute__((noinline)) bool live_look_further(uint32_t home, uint8_t counts,
							uint64_t place, struct live_object *object,
							uint64_t *ret_key)
{
	unsigned int i;

	for (i = 1; counts % LIVE_ANYWHERE && i < LIVE_PROBE && i < recorder.layout.buckets; i++) {
		object->displaced = LIVE_BEHIND;
		if (live_look(live_bucket(home, i), place, &object->entry, ret_key))
			return true;
	}
	for (i = 0; counts / LIVE_ANYWHERE && i < STORE_SPILLS; i++) {
		object->displaced = LIVE_ANYWHERE;
		if (live_look(store_spill(place, i, recorder.layout.buckets), place, &object->entry,
			      ret_key))
			return true;
	}
	return false;
}

/* Fills in where the entry is, and its key as it was seen. */
static inline bool live_search(uint64_t place, uint32_t home, struct live_object *object,
			       uint64_t *ret_key)
{
	uint8_t counts;

	object->displaced = 0;
	if (live_look(home, place, &object->entry, ret_key))
		return true;
	counts = live_displaced_of(place, home);
	return unlikely(counts) && live_look_further(home, counts, place, object, ret_key);
}

static inline bool live_search_filtered(uint64_t place, uint32_t home, struct live_object *object,
					uint64_t *ret_key)
{
	if (live_frees && live_is_filtered(store_key_address(place)))
		return false;
	return live_search(place, home, object, ret_key);
}

static inline void live_fill(uint64_t key, struct live_object *object)
{
	uint64_t value = load_relaxed(&object->entry->value);

	object->handle = (stackdepot_handle_t)value;
	object->size = value >> 32;
	object->bare = key & ENTRY_BARE;
	object->tag = (uint8_t)tags_noted(live_number(object->entry));
	if (unlikely(object->size == ENTRY_LARGE))
		object->size = store_large_size(recorder.larges, key & ~ENTRY_FLAGS);
}

/* The entry goes; its key is 0 then, and its bucket's place anybody's. */
static void live_end(uint64_t place, const struct live_object *object)
{
	if (unlikely(object->size >= ENTRY_LARGE))
		store_large_drop(recorder.larges, place);
	store_release(&object->entry->key, 0);
	if (unlikely(object->displaced))
		live_count_displaced(place, object->displaced, false);
}

void live_clear(const void *pointer, const struct live_object *object)
{
	live_end(live_place((uintptr_t)pointer), object);
	live_filter_drop((uintptr_t)pointer);
}

/* What is not live any more, though nobody said so. */
static __attribute__((noinline)) void live_end_stale(struct recorder_thread *thread,
						     const void *pointer, struct live_object *stale,
						     uint64_t key)
{
	if (!live_cas(&stale->entry->key, key, live_place((uintptr_t)pointer) | ENTRY_BUSY))
		return;
	live_fill(key, stale);
	live_clear(pointer, stale);
	trace_put(NULL, stale->handle);
	recorder_count(&recorder_counts()->ended_unseen, 1);
	if (!(key & ENTRY_HELD)) {
		live_count(thread, -1);
		height_down(thread, stale);
		probe_free((uintptr_t)pointer);
	}
}

/* Where the entry goes, in its home; or, if there may be one of that place already, nowhere. */
static struct store_entry *live_vacancy(uint32_t home, uint64_t place)
{
	struct store_entry *entry = recorder.buckets[home].entry, *vacant = NULL;
	unsigned int i;

	for (i = 0; i < STORE_BUCKET_ENTRIES; i++) {
		uint64_t key = load_relaxed(&entry[i].key);

		if (!key)
			vacant = &entry[i];
		else if (unlikely(!((key ^ place) & ~ENTRY_FLAGS)))
			return NULL;
	}
	return vacant;
}

static __attribute__((noinline)) bool live_insert_slow(struct recorder_thread *thread,
						       void *pointer, uint32_t home,
						       const struct live_object *object)
{
	const uint64_t address = (uintptr_t)pointer, place = live_place(address);
	const bool large = object->size >= ENTRY_LARGE;
	struct live_object stale;
	uint64_t key;

	if (!live_has_place(pointer) || object->size > ENTRY_MAX_SIZE)
		return false;
	if (live_search_filtered(place, home, &stale, &key))
		live_end_stale(thread, pointer, &stale, key);
	if (large && !store_large_put(recorder.larges, place, object->size))
		return false;
	live_filter_add(address);
	if (live_claim(home, place, object) || live_claim_behind(home, place, object) ||
	    live_claim_anywhere(home, place, object)) {
		height_up(thread, object);
		live_count(thread, 1);
		return true;
	}
	live_filter_drop(address);
	if (large)
		store_large_drop(recorder.larges, place);
	return false;
}

bool live_insert(struct recorder_thread *thread, void *pointer, uint32_t home,
		 const struct live_object *object)
{
	const uint64_t address = (uintptr_t)pointer, place = live_place(address);
	struct store_entry *entry;

	if (unlikely(!live_has_place(pointer) || object->size >= ENTRY_LARGE ||
		     live_displaced_of(place, home)))
		return live_insert_slow(thread, pointer, home, object);
	entry = live_vacancy(home, place);
	if (unlikely(!entry))
		return live_insert_slow(thread, pointer, home, object);
	live_mark(home);
	if (unlikely(!live_cas(&entry->key, 0, place | ENTRY_BUSY)))
		return live_insert_slow(thread, pointer, home, object);
	live_filter_add(address);
	live_fill_entry(entry, place, object);
	height_up(thread, object);
	live_count(thread, 1);
	return true;
}

enum live_state live_hold(struct recorder_thread *thread, const void *pointer, uint32_t home,
			  struct live_object *ret_object)
{
	const uint64_t place = live_place((uintptr_t)pointer);
	uint64_t key;

	if (unlikely(!live_has_place(pointer)))
		return LIVE_NONE;
	do {
		if (!live_search_filtered(place, home, ret_object, &key))
			return LIVE_NONE;
		live_fill(key, ret_object);
		if (key & ENTRY_HELD)
			return LIVE_HELD;
		if (unlikely(tags_of(pointer) && tags_of(pointer) != (ret_object->tag & TAGS_MASK)))
			return LIVE_OTHER;
	} while (!live_cas(&ret_object->entry->key, key, key | ENTRY_HELD));
	live_count(thread, -1);
	height_down(thread, ret_object);
	probe_free((uintptr_t)pointer);
	return LIVE_TAKEN;
}

bool live_release(const void *pointer, const struct live_object *object)
{
	const uint64_t key = load_relaxed(&object->entry->key);
	const uint64_t held = live_place((uintptr_t)pointer) | ENTRY_HELD;

	if (unlikely((key & ~(ENTRY_FLAGS ^ ENTRY_HELD)) != held ||
		     (stackdepot_handle_t)load_relaxed(&object->entry->value) != object->handle))
		return false;
	live_clear(pointer, object);
	return true;
}

bool live_take(struct recorder_thread *thread, const void *pointer, struct live_object *ret_object)
{
	if (live_hold(thread, pointer, live_home(pointer), ret_object) != LIVE_TAKEN)
		return false;
	live_clear(pointer, ret_object);
	return true;
}

bool live_find(const void *pointer, struct live_object *ret_object)
{
	uint64_t key;

	if (!live_has_place(pointer) ||
	    !live_search_filtered(live_place((uintptr_t)pointer), live_home(pointer), ret_object,
				  &key) ||
	    key & ENTRY_HELD)
		return false;
	live_fill(key, ret_object);
	return true;
}

void live_tell(const struct live_object *object)
{
	tags_note(live_number(object->entry), object->tag | TAGS_TOLD);
}

/* Distance from an address to an object: 0 inside, else bytes between. */
static uint64_t live_distance(uint64_t address, uint64_t start, uint64_t size)
{
	if (address < start)
		return start - address;
	return address - start < (size ? size : 1) ? 0 : address - start - size + 1;
}

struct live_search {
	uint64_t address;
	unsigned int tag; /* 0: any */
	uint64_t best;
	uint64_t start;
	struct live_object object;
	bool held;
};

static void live_near_entry(struct live_search *search, struct store_entry *entry)
{
	const uint64_t key = load_acquire(&entry->key);
	struct live_object object = {.entry = entry};
	uint64_t distance;

	if (!key || key & ENTRY_BUSY || store_key_slot(key) != recorder.slot ||
	    store_is_mapping(key))
		return;
	live_fill(key, &object);
	distance = live_distance(search->address, store_key_address(key), object.size);
	if (distance >= search->best || (search->tag && search->tag != (object.tag & TAGS_MASK)))
		return;
	search->best = distance;
	search->object = object;
	search->start = store_key_address(key);
	search->held = key & ENTRY_HELD;
}

/* In the parts that this process ever wrote to. */
static void live_near_part(struct live_search *search, uint32_t part)
{
	const uint32_t shift = recorder.layout.part_shift;
	uint32_t bucket;
	unsigned int i;

	if (!(load_relaxed(&recorder.parts->bits[part / 64]) >> part % 64 & 1))
		return;
	for (bucket = part << shift;
	     bucket < (part + 1) << shift && bucket < recorder.layout.buckets; bucket++)
		for (i = 0; i < STORE_BUCKET_ENTRIES && search->best; i++)
			live_near_entry(search, &recorder.buckets[bucket].entry[i]);
}

bool live_nearest(uint64_t address, unsigned int tag, uint64_t *ret_start,
		  struct live_object *ret_object, bool *ret_held)
{
	struct live_search search = {.address = address, .tag = tag, .best = UINT64_MAX};
	uint32_t part;

	for (part = 0; part < STORE_PARTS && search.best; part++)
		live_near_part(&search, part);
	*ret_object = search.object;
	*ret_start = search.start;
	*ret_held = search.held;
	return search.best != UINT64_MAX;
}

/* --- thinning -------------------------------------------------------------------------------- */

/* Does the object stay when its rate goes from one code to another? */
static bool thin_keeps(uint64_t size, unsigned int from, unsigned int to, uint64_t random)
{
	uint64_t before = from ? weight_chance(size, weight_rate(from)) : 1ull << 32;

	return (random >> 32) * before >> 32 < weight_chance(size, weight_rate(to));
}

/* It stands for more. */
static void thin_height(uint64_t place, const struct live_object *object, unsigned int code)
{
	const uint64_t size = object->size;

	if (object->handle)
		height_correct(store_key_slot(place), (int64_t)height_estimate(size, code) -
							      (int64_t)height_bytes(object));
}

/* An entry of any process. */
static void thin_entry(struct store_entry *entry, uint32_t bucket, unsigned int code,
		       uint64_t *dice)
{
	uint64_t key = load_acquire(&entry->key), place = key & ~ENTRY_FLAGS;
	struct live_object object = {.entry = entry};
	unsigned int from;

	if (!key || key & (ENTRY_BUSY | ENTRY_HELD) || store_is_mapping(key) ||
	    !live_cas(&entry->key, key, key | ENTRY_BUSY))
		return;
	live_fill(key, &object);
	from = stackdepot_get_extra_bits(object.handle);
	if (from >= code) {
		store_release(&entry->key, key);
	} else if (!object.handle || thin_keeps(object.size, from, code, random_next(dice))) {
		thin_height(place, &object, code);
		store_relaxed(&entry->value,
			      store_entry_value(object.size,
						stackdepot_set_extra_bits(object.handle, code)));
		store_release(&entry->key, key);
	} else {
		object.displaced = live_way(place, bucket, recorder.layout.buckets);
		if (store_key_slot(place) == recorder.slot)
			probe_free(store_key_address(place));
		live_end(place, &object);
		height_correct(store_key_slot(place), -(int64_t)height_bytes(&object));
		if (store_key_slot(place) == recorder.slot)
			live_filter_drop(store_key_address(place));
		live_count(NULL, -1);
		trace_put(NULL, object.handle);
	}
}

static void thin_pass(unsigned int code)
{
	uint64_t dice = recorder_now_ns() | 1;
	uint32_t bucket;
	unsigned int i;

	for (bucket = 0; bucket < recorder.layout.buckets; bucket++)
		for (i = 0; i < STORE_BUCKET_ENTRIES; i++)
			thin_entry(&recorder.buckets[bucket].entry[i], bucket, code, &dice);
}

/* Go one step coarser, all processes; false if there is none. */
static bool thin_step(void)
{
	uint64_t *rate = &recorder.header->sample_bytes;
	unsigned int code = weight_code(load_relaxed(rate)) + 1;

	if (code > ENTRY_MAX_RATE_CODE)
		return false;
	/* New objects are sampled at the new rate before old ones are dropped. */
	store_release(rate, weight_rate(code));
	recorder_count(&recorder.header->totals.thinnings, 1);
	thin_pass(code);
	return true;
}

/* One at a time, in the run. Who was killed in it does not keep the others from it for long. */
static bool thin_begin(void)
{
	uint64_t *since = &recorder.header->totals.thinning;
	uint64_t now = recorder_now_ns(), old = load_relaxed(since);

	if (old && now - old < THIN_PATIENCE_NS)
		return false;
	return __atomic_compare_exchange_n(since, &old, now, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static void thin_end(void)
{
	store_release(&recorder.header->totals.thinning, 0);
}

/* A moment, for who makes room meanwhile. */
static void thin_wait(void)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	const int saved_errno = errno;
	struct recorder_held held;

	recorder_hold(&held);
	if (filter_allows_all())
		(void)nanosleep(&moment, NULL);
	recorder_let(&held);
	errno = saved_errno;
}

/* Did what processes left that are gone make room? Whoever else is at it is waited for, a while. */
static bool thin_reaps(void)
{
	unsigned int tries;

	for (tries = 0; tries < THIN_TRIES; tries++) {
		enum slot_room room = slot_make_room();

		if (room != SLOT_ROOM_BUSY)
			return room == SLOT_ROOM_MADE;
		thin_wait();
	}
	return false;
}

/* What is left of processes that are gone makes room first. */
void live_thin(void)
{
	const uint64_t half = (uint64_t)recorder.layout.buckets * STORE_BUCKET_ENTRIES / 2;
	const uint64_t *objects = &recorder.header->totals.live_objects;

	if (!thin_begin())
		return;
	while ((int64_t)load_relaxed(objects) > (int64_t)half && thin_reaps())
		;
	while ((int64_t)load_relaxed(objects) > (int64_t)half && thin_step())
		;
	thin_end();
}

static bool live_is_full(uint32_t bucket)
{
	const struct store_entry *entry = recorder.buckets[bucket].entry;
	unsigned int i;

	for (i = 0; i < STORE_BUCKET_ENTRIES && load_relaxed(&entry[i].key); i++)
		;
	return i == STORE_BUCKET_ENTRIES;
}

/* Somebody else may have made room for it meanwhile. */
static bool live_has_room(uint32_t home, const struct live_object *object)
{
	uint32_t distance;

	if (object->size >= ENTRY_LARGE)
		return false;
	for (distance = 0; distance < LIVE_PROBE && distance < recorder.layout.buckets; distance++)
		if (!live_is_full(live_bucket(home, distance)))
			return true;
	return false;
}

bool live_make_room(struct recorder_thread *thread, uint32_t home, struct live_object *object)
{
	uint64_t dice = recorder_now_ns() * 2 + 1;
	unsigned int from = stackdepot_get_extra_bits(object->handle), code;

	/* Somebody else who is at it makes room for this one too. */
	if (thin_begin()) {
		if (!thin_reaps() && !live_has_room(home, object))
			(void)thin_step();
		thin_end();
	} else {
		thin_wait();
	}
	code = weight_code(load_relaxed(&recorder.header->sample_bytes));
	if (code <= from)
		return true;
	object->handle = stackdepot_set_extra_bits(object->handle, code);
	return thin_keeps(object->size, from, code, random_next(thread ? &thread->random : &dice));
}
