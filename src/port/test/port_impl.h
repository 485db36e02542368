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
#ifndef PORT_IMPL_H
#define PORT_IMPL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

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
/* A line number that the depot does not have reached port_line(): ends the process. */
void port_test_bad_line(u32 number);
void *port_test_scratch_get(size_t bytes);
void port_test_scratch_put(void *memory);

static inline void port_test_point(const void *word, bool write)
{
	if (port_test_hook)
		port_test_hook(word, write);
}

static inline u64 port_test_load(const void *word, u32 bytes)
{
	u64 value = 0;

	port_test_point(word, false);
	if (!port_test_late_stores || !port_test_buffer_load(word, &value))
		memcpy(&value, word, bytes);
	return value;
}

static inline void port_test_store(void *word, u64 value, u32 bytes)
{
	port_test_point(word, true);
	if (port_test_late_stores)
		port_test_buffer_store(word, value, bytes);
	else
		memcpy(word, &value, bytes);
}

/* In front of a read-modify-write. */
static inline void port_test_modify(const void *word)
{
	port_test_point(word, true);
	if (port_test_late_stores)
		port_test_flush();
}

static inline bool port_test_cas(u64 *word, u64 *expected, u64 desired)
{
	u64 value;

	port_test_modify(word);
	value = *word;
	if (value != *expected) {
		*expected = value;
		return false;
	}
	*word = desired;
	return true;
}

static inline u64 port_test_fetch_add(u64 *word, u64 value)
{
	u64 before;

	port_test_modify(word);
	before = *word;
	*word += value;
	return before;
}

static inline u64 port_test_fetch_or(u64 *word, u64 value)
{
	u64 before;

	port_test_modify(word);
	before = *word;
	*word |= value;
	return before;
}

static inline u64 port_test_fetch_and(u64 *word, u64 value)
{
	u64 before;

	port_test_modify(word);
	before = *word;
	*word &= value;
	return before;
}

#define port_likely(x) __builtin_expect(!!(x), 1)
#define port_unlikely(x) __builtin_expect(!!(x), 0)
#define port_noinline __attribute__((noinline))
#define port_prefetch_write(p) ((void)(p))
#define PORT_VARIANT(name) name
#define port_inline static inline

/* The unary plus takes qualifiers off; a u16 becomes an int of the same value. */
#define port_load_relaxed(p) ((__typeof__(+*(p)))port_test_load(p, sizeof(*(p))))
#define port_load_acquire(p) port_load_relaxed(p)
#define port_load_seq_cst(p) port_load_relaxed(p)
#define port_store_relaxed(p, v) port_test_store(p, v, sizeof(*(p)))
#define port_store_release(p, v) port_test_store(p, v, sizeof(*(p)))
#define port_cas(p, expected, desired) port_test_cas(p, expected, desired)
#define port_fetch_add_relaxed(p, v) port_test_fetch_add(p, v)
#define port_fetch_or(p, v) port_test_fetch_or(p, v)
#define port_fetch_and(p, v) port_test_fetch_and(p, v)
#define port_fence_acquire() ((void)0)
#define port_fence_release() ((void)0)

#define port_line(depot, number)                                                                   \
	((number) > (depot)->nr_lines ? port_test_bad_line((u32)(number)) : (void)0,               \
	 (depot)->lines + (number))
#define port_populate(depot, number, flags)                                                        \
	((void)(depot), (void)(number), (void)(flags),                                             \
	 !port_test_may_fail(&port_test_fail_populate))
#define port_scratch_get(bytes) port_test_scratch_get(bytes)
#define port_scratch_put(memory, bytes) ((void)(bytes), port_test_scratch_put(memory))

#endif
