/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The test port: one operating-system thread, on which a scheduler may run threads of its own.
 *
 * Every atomic first calls port_test_hook, if there is one, then does the plain operation: what the
 * hook switches between are the sequentially consistent interleavings. With port_test_late_stores a
 * plain store moreover stays in a buffer of its thread until that thread's next read-modify-write,
 * as long as a processor with a store buffer (x86) may keep it: that finds a store that somebody
 * relies on to be seen before a later load.
 *
 * Without a hook and late stores this is a port for one thread. Memory comes from calloc; each way
 * to ask for it can be made to fail at the n-th call.
 */
#ifndef PORT_HOST_H
#define PORT_HOST_H

#include "words.h"

#define PORT_TEST_THREADS 4u
#define PORT_TEST_BUFFERED 64u

struct port_test_store {
	void *word;
	u64 value;
	u32 bytes;
};

struct port_test_buffer {
	struct port_test_store stores[PORT_TEST_BUFFERED]; /* oldest first */
	u32 nr;
};

/* Called in front of each atomic that is a scheduling point, with the word it is about to touch. */
extern void (*port_test_hook)(const void *word, bool write);
extern bool port_test_late_stores;
extern unsigned int port_test_thread; /* whose store buffer */
extern struct port_test_buffer port_test_buffers[PORT_TEST_THREADS];
extern unsigned long port_test_fail_populate; /* fail at the n-th call from now; 0: never */
extern unsigned long port_test_fail_scratch;
extern unsigned long port_test_fail_create;

/* port_test_flush() - what the running thread has buffered becomes visible. */
void port_test_flush(void);
void port_test_buffer_store(void *word, u64 value, u32 bytes);
/* The newest buffered value of a word, or false. */
bool port_test_buffer_load(const void *word, u64 *ret_value);
bool port_test_may_fail(unsigned long *countdown);
/* A line number that the depot does not have reached depot_line(): ends the process. */
void port_test_bad_line(u32 number);
void *port_test_scratch_get(size_t bytes);
void port_test_scratch_put(void *memory);

static inline void port_test_point(const void *word, bool write)
{
	if (port_test_hook)
		port_test_hook(word, write);
}

/* In the machine's byte order, whatever it is. */
static inline u64 port_test_get(const void *word, u32 bytes)
{
	return bytes == 8   ? *(const u64 *)word
	       : bytes == 4 ? *(const u32 *)word
			    : *(const u16 *)word;
}

static inline void port_test_put(void *word, u64 value, u32 bytes)
{
	if (bytes == 8)
		*(u64 *)word = value;
	else if (bytes == 4)
		*(u32 *)word = (u32)value;
	else
		*(u16 *)word = (u16)value;
}

static inline u64 port_test_load(const void *word, u32 bytes)
{
	u64 value = 0;

	port_test_point(word, false);
	if (!port_test_late_stores || !port_test_buffer_load(word, &value))
		value = port_test_get(word, bytes);
	return value;
}

static inline void port_test_store(void *word, u64 value, u32 bytes)
{
	port_test_point(word, true);
	if (port_test_late_stores)
		port_test_buffer_store(word, value, bytes);
	else
		port_test_put(word, value, bytes);
}

/* In front of a read-modify-write. */
static inline void port_test_modify(const void *word)
{
	port_test_point(word, true);
	if (port_test_late_stores)
		port_test_flush();
}

static inline bool port_test_cas(void *word, void *expected, u64 desired, u32 bytes)
{
	u64 value;

	port_test_modify(word);
	value = port_test_get(word, bytes);
	if (value != port_test_get(expected, bytes)) {
		port_test_put(expected, value, bytes);
		return false;
	}
	port_test_put(word, desired, bytes);
	return true;
}

static inline u64 port_test_fetch_add(s64 *word, u64 value)
{
	u64 before;

	port_test_modify(word);
	before = (u64)*word;
	*word = (s64)(before + value);
	return before;
}

/* A full barrier: what was stored before is seen before anything is loaded. */
static inline void port_test_barrier(void)
{
	if (port_test_late_stores)
		port_test_flush();
}

#define DEPOT_VARIANT(name) name
#define DEPOT_FRAME_BITS (BITS_PER_LONG == 64 ? 48 : 32)
#define DEPOT_FRAME_BASE (BITS_PER_LONG == 64 ? (uintptr_t)-1 << 47 : 0)
#define depot_has_line(depot, number) true
#define depot_trim(frames, nr) (nr)
#define prefetchw(p) ((void)(p))

/* The unary plus takes qualifiers off; a u16 becomes an int of the same value. */
#define READ_ONCE(x) ((__typeof__(+(x)))port_test_load(&(x), sizeof(x)))
#define WRITE_ONCE(x, value) port_test_store(&(x), value, sizeof(x))
#define smp_load_acquire(p) READ_ONCE(*(p))
#define smp_store_release(p, value) WRITE_ONCE(*(p), value)
#define smp_mb() port_test_barrier()
#define smp_rmb() ((void)0)
#define smp_wmb() ((void)0)
#define try_cmpxchg(p, expected, desired) port_test_cas(p, expected, desired, sizeof(*(p)))

#define atomic64_read(v) ((u64)READ_ONCE((v)->counter))
#define atomic64_read_acquire(v) atomic64_read(v)
#define atomic64_set(v, value) WRITE_ONCE((v)->counter, value)
#define atomic64_set_release(v, value) atomic64_set(v, value)
#define atomic64_try_cmpxchg(v, expected, desired) try_cmpxchg(&(v)->counter, expected, desired)
#define atomic64_fetch_add_relaxed(value, v) port_test_fetch_add(&(v)->counter, value)
#define atomic64_inc(v) ((void)atomic64_fetch_add_relaxed(1, v))

static inline bool test_bit(unsigned long bit, const unsigned long *bits)
{
	return READ_ONCE(bits[bit / BITS_PER_LONG]) >> bit % BITS_PER_LONG & 1;
}

static inline bool test_and_set_bit(unsigned long bit, unsigned long *bits)
{
	const unsigned long mask = 1ul << bit % BITS_PER_LONG;
	unsigned long *word = &bits[bit / BITS_PER_LONG];
	bool was;

	port_test_modify(word);
	was = *word & mask;
	*word |= mask;
	return was;
}

static inline bool test_and_clear_bit(unsigned long bit, unsigned long *bits)
{
	const unsigned long mask = 1ul << bit % BITS_PER_LONG;
	unsigned long *word = &bits[bit / BITS_PER_LONG];
	bool was;

	port_test_modify(word);
	was = *word & mask;
	*word &= ~mask;
	return was;
}

#define depot_line(depot, number)                                                    \
	((number) > (depot)->nr_lines ? port_test_bad_line((u32)(number)) : (void)0, \
	 (depot)->lines + (number))
#define DEPOT_CANDIDATES_APART 0
#define depot_candidate_word(depot, word) (&(depot)->candidates[0][word])
#define depot_populate(depot, number, flags)           \
	((void)(depot), (void)(number), (void)(flags), \
	 !port_test_may_fail(&port_test_fail_populate))
#define depot_head(depot, bucket) (&(depot)->heads[bucket])
#define depot_heads_bytes(geometry) (8ull * (geometry)->buckets)
#define DEPOT_INDEX_GROWS 1
#define depot_populate_heads(depot, buckets) ((void)(depot), (void)(buckets), true)
#define depot_footprint(geometry) ((geometry)->total_bytes + DEPOT_PRIVATE_BYTES)
#define depot_scratch_get(bytes) port_test_scratch_get(bytes)
#define depot_scratch_put(memory, bytes) ((void)(bytes), port_test_scratch_put(memory))

#endif
