/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * live.c - the table of live objects, 16 bytes each, in the store.
 *
 * A bucket is one cache line. Addressing is open, from the home bucket on, at most PROBE buckets.
 * There are no tombstones: an entry is free when its key is 0, and a search that found nothing at
 * home goes on only if the home's overflow count says that some of its objects live elsewhere.
 *
 *	home ->  [ k v | k v | k v | k v ]   overflow[home] = objects of this home in later buckets
 *
 *	a. From the allocator's return to the allocator's free an address belongs to one thread, so
 *	   no other inserts or takes it, except in a program that frees twice.
 *	b. Whoever inserts or takes an entry sets ENTRY_BUSY with a CAS. Only that thread writes
 *	   value, and it ends with a release store of the key. Of two threads that free one object
 *	   the CAS lets one through.
 *	c. No thread waits. A busy entry is passed over: it is another object's, or by (b) another
 *	   thread has it already.
 *	d. overflow[home] counts an object before its key is stored and until after it is cleared,
 *	   so a search that reads 0 misses nothing. At 255 it stays: from then on searches of this
 *	   home are longer.
 *	e. If the process is killed, at whatever moment, an entry that is not busy is whole. At most
 *	   one for each thread is lost.
 *
 * When the table is 7/8 full, live_thin() begins to sample, or doubles the rate. It drops objects
 * by chance, so that each that stays stands for 1 / p of its kind, where p is the chance with which
 * a sampler of the new rate would have taken it. The rate is written in each entry, so entries of
 * several rates can be in the table together.
 */
#include "recorder.h"

#define PROBE 8u
#define BATCH 64

uint8_t live_filter[LIVE_FILTER_BYTES];
bool live_filtered;

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

void live_filter_add(uint64_t address)
{
	if (live_filtered)
		live_byte_inc(live_filter_at(address));
}

void live_filter_drop(uint64_t address)
{
	if (live_filtered)
		live_byte_dec(live_filter_at(address));
}

/* What the loader took from the bootstrap buffer must not get to the allocator. */
void live_filter_setup(void)
{
	size_t i, bytes;
	const char *used = real_bootstrap_used(&bytes);

	for (i = 0; i < bytes; i += 16)
		live_byte_inc(live_filter_at((uintptr_t)(used + i)));
	live_filtered = true;
}

static bool live_cas(uint64_t *key, uint64_t expected, uint64_t desired)
{
	return __atomic_compare_exchange_n(key, &expected, desired, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static struct store_bucket *live_bucket(uint32_t home, uint32_t distance)
{
	uint32_t number = home + distance;

	return &recorder.buckets[number < recorder.layout.buckets
					 ? number
					 : number - recorder.layout.buckets];
}

/* Keep count, in batches; whoever fills the table beyond 7/8 thins it. */
static void live_count(struct recorder_thread *thread, int add)
{
	const uint64_t capacity = (uint64_t)recorder.layout.buckets * STORE_BUCKET_ENTRIES;
	uint64_t *objects = &recorder.header->counts.live_objects;
	int delta = thread ? thread->live_delta + add : add;

	if (thread && delta < BATCH && delta > -BATCH) {
		thread->live_delta = delta;
		return;
	}
	if (thread)
		thread->live_delta = 0;
	if ((int64_t)(fetch_add_relaxed(objects, (uint64_t)delta) + (uint64_t)delta) >
		    (int64_t)(capacity / 8 * 7) &&
	    add > 0)
		live_thin();
}

static bool live_claim(struct store_bucket *bucket, uint64_t address, uint64_t size,
		       stackdepot_handle_t handle)
{
	unsigned int i;

	for (i = 0; i < STORE_BUCKET_ENTRIES; i++) {
		struct store_entry *entry = &bucket->entry[i];

		if (load_relaxed(&entry->key) || !live_cas(&entry->key, 0, address | ENTRY_BUSY))
			continue;
		store_relaxed(&entry->value, store_entry_value(size, handle));
		store_release(&entry->key, store_entry_key(address, size));
		return true;
	}
	return false;
}

bool live_insert(struct recorder_thread *thread, void *pointer, uint64_t size,
		 stackdepot_handle_t handle)
{
	const uint64_t address = (uintptr_t)pointer;
	uint32_t home = store_home(address, recorder.layout.buckets), distance;

	if (address & ~ENTRY_ADDRESS || size > ENTRY_MAX_SIZE)
		return false;
	live_filter_add(address);
	if (live_claim(live_bucket(home, 0), address, size, handle)) {
		live_count(thread, 1);
		return true;
	}
	live_byte_inc(&recorder.overflow[home]);
	for (distance = 1; distance < PROBE && distance < recorder.layout.buckets; distance++)
		if (live_claim(live_bucket(home, distance), address, size, handle)) {
			live_count(thread, 1);
			return true;
		}
	live_byte_dec(&recorder.overflow[home]);
	live_filter_drop(address);
	live_thin();
	return false;
}

/* The entry of an address, and its key as it was seen. */
static struct store_entry *live_search(uint64_t address, uint64_t *ret_key, uint32_t *ret_distance)
{
	uint32_t home, distance;

	if (live_filtered && !load_relaxed(live_filter_at(address)))
		return NULL;
	home = store_home(address, recorder.layout.buckets);
	for (distance = 0; distance < PROBE && distance < recorder.layout.buckets; distance++) {
		struct store_bucket *bucket = live_bucket(home, distance);
		unsigned int i;

		for (i = 0; i < STORE_BUCKET_ENTRIES; i++) {
			uint64_t key = load_acquire(&bucket->entry[i].key);

			if ((key & ENTRY_ADDRESS) == address && !(key & ENTRY_BUSY)) {
				*ret_key = key;
				*ret_distance = distance;
				return &bucket->entry[i];
			}
		}
		if (!load_relaxed(&recorder.overflow[home]))
			break;
	}
	return NULL;
}

static void live_fill(struct store_entry *entry, uint64_t key, struct live_object *ret_object)
{
	uint64_t value = load_relaxed(&entry->value);

	ret_object->handle = (stackdepot_handle_t)value;
	ret_object->size = store_entry_size(key, value);
}

static void live_clear(struct recorder_thread *thread, struct store_entry *entry, uint64_t address,
		       bool displaced)
{
	store_release(&entry->key, 0);
	if (displaced)
		live_byte_dec(&recorder.overflow[store_home(address, recorder.layout.buckets)]);
	live_filter_drop(address);
	live_count(thread, -1);
}

bool live_take(struct recorder_thread *thread, const void *pointer, struct live_object *ret_object)
{
	uint64_t key, address = (uintptr_t)pointer;
	uint32_t distance;
	struct store_entry *entry = live_search(address, &key, &distance);

	if (!entry || !live_cas(&entry->key, key, key | ENTRY_BUSY))
		return false;
	live_fill(entry, key, ret_object);
	live_clear(thread, entry, address, distance > 0);
	return true;
}

bool live_find(const void *pointer, struct live_object *ret_object)
{
	uint64_t key;
	uint32_t distance;
	struct store_entry *entry = live_search((uintptr_t)pointer, &key, &distance);

	if (!entry)
		return false;
	live_fill(entry, key, ret_object);
	return true;
}

uint64_t live_distance(uint64_t address, uint64_t start, uint64_t size)
{
	if (address < start)
		return start - address;
	return address - start < (size ? size : 1) ? 0 : address - start - size + 1;
}

bool live_nearest(uint64_t address, uint64_t *ret_start, struct live_object *ret_object)
{
	const uint64_t entries = (uint64_t)recorder.layout.buckets * STORE_BUCKET_ENTRIES;
	struct store_entry *entry = &recorder.buckets[0].entry[0];
	uint64_t i, best = UINT64_MAX;

	for (i = 0; i < entries && best; i++, entry++) {
		uint64_t key = load_acquire(&entry->key), start = key & ENTRY_ADDRESS, distance;

		if (!key || key & ENTRY_BUSY)
			continue;
		distance = live_distance(address, start,
					 store_entry_size(key, load_relaxed(&entry->value)));
		if (distance >= best)
			continue;
		best = distance;
		live_fill(entry, key, ret_object);
		*ret_start = start;
	}
	return best != UINT64_MAX;
}

/* --- thinning -------------------------------------------------------------------------------- */

/* Does the object stay when its rate goes from one code to another? */
static bool thin_keeps(uint64_t size, unsigned int from, unsigned int to, uint64_t random)
{
	uint64_t before = from ? sample_chance(size, sample_rate(from)) : 1ull << 32;

	return (random >> 32) * before >> 32 < sample_chance(size, sample_rate(to));
}

static void thin_entry(struct store_entry *entry, uint32_t bucket, unsigned int code,
		       struct recorder_thread *dice)
{
	uint64_t key = load_acquire(&entry->key), address = key & ENTRY_ADDRESS;
	struct live_object object;
	unsigned int from;

	if (!key || key & ENTRY_FLAGS || !live_cas(&entry->key, key, key | ENTRY_BUSY))
		return;
	live_fill(entry, key, &object);
	from = stackdepot_get_extra_bits(object.handle);
	if (from >= code) {
		store_release(&entry->key, key);
	} else if (!object.handle || thin_keeps(object.size, from, code, thread_random(dice))) {
		store_relaxed(&entry->value,
			      store_entry_value(object.size,
						stackdepot_set_extra_bits(object.handle, code)));
		store_release(&entry->key, key);
	} else {
		live_clear(NULL, entry, address,
			   store_home(address, recorder.layout.buckets) != bucket);
		(void)stackdepot_put(recorder.depot, stackdepot_set_extra_bits(object.handle, 0));
	}
}

static void thin_pass(unsigned int code)
{
	struct recorder_thread dice = {.random = recorder_now_ns() | 1};
	uint32_t bucket;
	unsigned int i;

	for (bucket = 0; bucket < recorder.layout.buckets; bucket++)
		for (i = 0; i < STORE_BUCKET_ENTRIES; i++)
			thin_entry(&recorder.buckets[bucket].entry[i], bucket, code, &dice);
}

void live_thin(void)
{
	static uint32_t thinning;
	const uint64_t half = (uint64_t)recorder.layout.buckets * STORE_BUCKET_ENTRIES / 2;
	struct store_counts *counts = &recorder.header->counts;

	if (__atomic_exchange_n(&thinning, 1, __ATOMIC_ACQUIRE))
		return;
	while ((int64_t)load_relaxed(&counts->live_objects) > (int64_t)half) {
		unsigned int code = sample_code(load_relaxed(&counts->sample_bytes)) + 1;

		if (code > ENTRY_MAX_RATE_CODE)
			break;
		/* New objects are sampled at the new rate before old ones are dropped. */
		store_relaxed(&counts->sample_bytes, sample_rate(code));
		store_release(&recorder.sampling, 1);
		recorder_count(&counts->thinnings, 1);
		thin_pass(code);
	}
	store_release(&thinning, 0);
}
