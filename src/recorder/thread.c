/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * thread.c - what the recorder remembers of each thread.
 *
 * Made at the thread's first event, and given back as its thread-specific data is destroyed, in the
 * last round, as other destructors free memory too. A thread that goes on after that is recorded
 * without memory of its last walk.
 *
 * Places for threads come in slabs, without pages between them that cannot be touched: a process
 * may have no more than 65,530 mappings, and one with 20,000 threads needs two for each itself. A
 * place is
 *
 *	stack for signals | struct recorder_thread | unwinder | its first memory of whole stacks
 *
 * and is used again for the next thread. What was in it is given back to the kernel.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "altstack.h"
#include "filter.h"
#include "handler.h"
#include "height.h"
#include "tally.h"
#include "thread.h"

#define THREAD_BYTES ((sizeof(struct recorder_thread) + 4095) & ~(size_t)4095)
#define MEMO_BYTES ((size_t)16 << 10)
#define MEMO_MAX_BYTES ((size_t)2 << 20)
#define MEMO_PART 16u /* of the store's size, all threads together */
#define THREAD_MAPPED \
	(THREAD_BYTES + STACKDEPOT_UNWINDER_BYTES + MEMO_BYTES + RECORDER_ALTSTACK_BYTES)
#define RING_ENTRY_BYTES 64u
#define SLAB_THREADS 16u
#define SLABS 8192u				  /* 131,072 threads at a time */
#define THREAD_NONE ((struct recorder_thread *)1) /* ended, or just beginning */

__thread struct recorder_thread *recorder_thread __attribute__((tls_model("initial-exec")));
uint32_t thread_only;

/* Rounds of the destructor that this thread has seen; the value of the key, so never 0. */
struct thread_rounds {
	char round[PTHREAD_DESTRUCTOR_ITERATIONS + 1];
};

static const struct thread_rounds thread_rounds;
static struct {
	char *memory;
	uint32_t used; /* a bit for each place */
} slabs[SLABS];

static size_t memo_bytes; /* mapped besides the places */
static pthread_key_t thread_key;
static bool thread_key_made;

uint32_t thread_id(void)
{
	return filter_allows(FILTER_GETTID) ? (uint32_t)raw_call(SYS_gettid) : 0;
}

static bool thread_is_in_event(const struct recorder_thread *thread)
{
	const struct recorder_event *event = thread->event;

	/* A frame on another stack may be in memory that is not there any more. */
	return event && (!stackdepot_unwind_is_own(thread->unwinder, event) ||
			 load_relaxed(&event->mark) == thread_mark(thread, event));
}

bool thread_is_interrupted(void)
{
	const struct recorder_thread *thread = recorder_thread;

	return (uintptr_t)thread > 1 && thread_is_in_event(thread);
}

bool thread_is_taken(const struct recorder_thread *thread)
{
	if (!thread_is_in_event(thread))
		return false;
	recorder_count(&recorder_counts()->nested, 1);
	return true;
}

/* xorshift64*: for sampling, not for secrets. */
uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dull;
}

uint64_t thread_random(struct recorder_thread *thread)
{
	return random_next(&thread->random);
}

/* --- stacks that are remembered -----------------------------------------------------------------
 *
 * A thread begins with little memory for them. What fills it gets four times as much, up to
 * MEMO_MAX_BYTES, while all threads together stay within a part of what the store takes.
 */

static char *memo_first(struct recorder_thread *thread)
{
	return (char *)thread + THREAD_BYTES + STACKDEPOT_UNWINDER_BYTES;
}

static void memo_begin(struct recorder_thread *thread)
{
	thread->memo = memo_first(thread);
	thread->memo_bytes = MEMO_BYTES;
	(void)stackdepot_unwind_memory(thread->unwinder, thread->memo, thread->memo_bytes);
}

static bool memo_is_mapped(struct recorder_thread *thread)
{
	return thread->memo && thread->memo != memo_first(thread);
}

static void memo_unmap(void *memory, size_t bytes)
{
	if (filter_allows(FILTER_MMAP))
		(void)munmap(memory, bytes);
	else if (filter_allows(FILTER_MADVISE))
		(void)madvise(memory, bytes, MADV_DONTNEED);
}

static void memo_count(int64_t bytes)
{
	(void)__atomic_fetch_add(&memo_bytes, (size_t)bytes, __ATOMIC_RELAXED);
	recorder_count_tool(bytes);
}

static void memo_release(struct recorder_thread *thread)
{
	if (!memo_is_mapped(thread))
		return;
	memo_count(-(int64_t)thread->memo_bytes);
	memo_unmap(thread->memo, thread->memo_bytes);
}

static void memo_grow(struct recorder_thread *thread)
{
	const size_t more = thread->memo_bytes * 4;
	const size_t bytes = more < MEMO_MAX_BYTES ? more : MEMO_MAX_BYTES;
	const bool mapped = memo_is_mapped(thread);
	void *memory, *old = thread->memo;

	if (bytes <= thread->memo_bytes || !filter_allows(FILTER_MMAP) ||
	    load_relaxed(&memo_bytes) + bytes > recorder.options.memory_bytes / MEMO_PART)
		return;
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return;
	/* In this order: a child that is forked meanwhile unmaps no more than there is. */
	store_relaxed(&thread->memo, memory);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	memo_count((int64_t)bytes - (mapped ? (int64_t)thread->memo_bytes : 0));
	if (mapped)
		memo_unmap(old, thread->memo_bytes);
	store_relaxed(&thread->memo_bytes, bytes);
}

/* In a forked child, of a thread that is not there. */
static void memo_orphan(struct recorder_thread *thread)
{
	if (memo_is_mapped(thread))
		memo_unmap(thread->memo, thread->memo_bytes);
}

void thread_memo_full(struct recorder_thread *thread)
{
	const int saved_errno = errno;

	memo_grow(thread);
	(void)stackdepot_unwind_memory(thread->unwinder, thread->memo, thread->memo_bytes);
	errno = saved_errno;
}

void thread_memo_forget(struct recorder_thread *thread)
{
	(void)stackdepot_unwind_memory(thread->unwinder, thread->memo, thread->memo_bytes);
}

/* --- places ------------------------------------------------------------------------------------
 */

static int slab_claim(uint32_t slab)
{
	uint32_t used = load_relaxed(&slabs[slab].used);

	while (used != (1u << SLAB_THREADS) - 1) {
		const int place = __builtin_ctz(~used);

		if (__atomic_compare_exchange_n(&slabs[slab].used, &used, used | 1u << place, true,
						__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return place;
	}
	return -1;
}

/* False if there is no memory; another thread may have been faster, which is as good. */
static bool slab_make(uint32_t slab)
{
	const size_t bytes = SLAB_THREADS * THREAD_MAPPED;
	char *none = NULL, *memory;

	if (!filter_allows(FILTER_MMAP))
		return false;
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	if (!__atomic_compare_exchange_n(&slabs[slab].memory, &none, memory, false,
					 __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		(void)munmap(memory, bytes);
	return true;
}

static char *place_take(void)
{
	uint32_t slab;

	for (slab = 0; slab < SLABS; slab++) {
		int place;

		if (!load_acquire(&slabs[slab].memory) && !slab_make(slab))
			return NULL;
		place = slab_claim(slab);
		if (place >= 0)
			return load_acquire(&slabs[slab].memory) + (size_t)place * THREAD_MAPPED;
	}
	return NULL;
}

static uint32_t place_find(const char *memory, uint32_t *ret_bit)
{
	uint32_t slab;

	for (slab = 0; slab < SLABS; slab++) {
		const size_t at = (size_t)(memory - load_relaxed(&slabs[slab].memory));

		if (at >= SLAB_THREADS * THREAD_MAPPED)
			continue;
		*ret_bit = 1u << at / THREAD_MAPPED;
		return slab;
	}
	__builtin_unreachable();
}

static void place_put(char *memory)
{
	uint32_t bit, slab = place_find(memory, &bit);

	if (!filter_allows(FILTER_MADVISE) || madvise(memory, THREAD_MAPPED, MADV_DONTNEED))
		memset(memory + RECORDER_ALTSTACK_BYTES, 0, sizeof(struct recorder_thread));
	(void)__atomic_fetch_and(&slabs[slab].used, ~bit, __ATOMIC_RELEASE);
}

static char *thread_place(struct recorder_thread *thread)
{
	return (char *)thread - RECORDER_ALTSTACK_BYTES;
}

/* Whoever takes these places next finds them as new. */
static void place_clear(uint32_t slab, uint32_t places)
{
	for (; places; places &= places - 1) {
		struct recorder_thread *thread =
			(void *)(slabs[slab].memory +
				 (size_t)__builtin_ctz(places) * THREAD_MAPPED +
				 RECORDER_ALTSTACK_BYTES);

		memo_orphan(thread);
		memset(thread, 0, sizeof(*thread));
	}
}

/* In a forked child there is one thread. */
static void place_keep_only(struct recorder_thread *thread)
{
	uint32_t bit, i, slab = place_find(thread_place(thread), &bit);

	for (i = 0; i < SLABS && slabs[i].memory; i++) {
		place_clear(i, slabs[i].used & ~(i == slab ? bit : 0));
		slabs[i].used = i == slab ? bit : 0;
	}
}

/* --- threads -----------------------------------------------------------------------------------
 */

static void thread_release(struct recorder_thread *thread)
{
	recorder_thread = THREAD_NONE;
	altstack_end();
	mask_end();
	if (load_relaxed(&recorder.ready) && load_relaxed(&recorder_life->here)) {
		quarantine_drain(thread);
		tally_end(thread);
		stackdepot_ring_end(recorder.depot, &thread->pen);
		(void)fetch_add_relaxed(&recorder_counts()->threads, ~0ull);
		recorder_count_tool(-(int64_t)THREAD_MAPPED);
	}
	memo_release(thread);
	place_put(thread_place(thread));
}

static void thread_end(void *value)
{
	const char *round = value;

	if (round + 1 < thread_rounds.round + PTHREAD_DESTRUCTOR_ITERATIONS)
		(void)pthread_setspecific(thread_key, round + 1);
	else if ((uintptr_t)recorder_thread > 1)
		thread_release(recorder_thread);
}

bool thread_setup(void)
{
	if (!thread_key_made)
		thread_key_made = !pthread_key_create(&thread_key, thread_end);
	return thread_key_made;
}

static void thread_count(void)
{
	struct store_counts *counts = recorder_counts();
	uint64_t threads = fetch_add_relaxed(&counts->threads, 1) + 1;

	if (threads > load_relaxed(&counts->threads_peak))
		store_relaxed(&counts->threads_peak, threads);
	recorder_count_tool((int64_t)THREAD_MAPPED);
}

/* When a second thread began, after which all allocations are told. */
static struct {
	uint32_t first; /* the thread before that */
	uint64_t events;
	uint64_t dropped;
} thread_since;

static void thread_no_more_sole(void)
{
	const uint32_t first = __atomic_exchange_n(&thread_only, THREADS_SEVERAL, __ATOMIC_SEQ_CST);
	struct stackdepot_stats stats;

	if (first == THREADS_SEVERAL)
		return;
	stackdepot_get_stats(recorder.depot, &stats);
	thread_since.events = stats.ring_events;
	thread_since.dropped = stats.ring_dropped;
	store_release(&thread_since.first, first);
}

/* Before its first event, whether there is room for what it has or not. */
static void thread_join(uint32_t id)
{
	uint32_t none = 0;

	if (load_relaxed(&thread_only) == THREADS_SEVERAL)
		return;
	if (!__atomic_compare_exchange_n(&thread_only, &none, id, false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		thread_no_more_sole();
}

/*
 * The only thread; or the first one, if the ring still has all that was told since there are
 * others. Of the positions that short threads claim they use little more than half.
 */
uint32_t thread_untold(void)
{
	const uint32_t only = load_relaxed(&thread_only);
	const uint32_t first = load_acquire(&thread_since.first);
	struct stackdepot_stats stats;

	if (only != THREADS_SEVERAL)
		return only;
	stackdepot_get_stats(recorder.depot, &stats);
	if (stats.ring_dropped != thread_since.dropped ||
	    stats.ring_events - thread_since.events > stats.ring_bytes / RING_ENTRY_BYTES / 16 * 7)
		return 0;
	return first;
}

static struct recorder_thread *thread_map(void)
{
	char *memory = place_take();
	struct recorder_thread *thread = (void *)(memory + RECORDER_ALTSTACK_BYTES);

	if (!memory)
		return NULL;
	altstack_begin(memory);
	mask_begin();
	thread->id = thread_id();
	thread->random = recorder_now_ns() * 2 + 1 + ((uint64_t)thread->id << 40);
	if (recorder.options.guard_interval)
		thread->guard_left =
			1 + (uint32_t)(thread_random(thread) % recorder.options.guard_interval);
	thread->unwinder =
		stackdepot_unwind_init((char *)thread + THREAD_BYTES, STACKDEPOT_UNWINDER_BYTES);
	memo_begin(thread);
	tally_begin(thread);
	return thread;
}

struct recorder_thread *thread_begin(void)
{
	const int saved_errno = errno;
	struct recorder_thread *thread;

	if (recorder_thread == THREAD_NONE)
		return NULL;
	/* Nobody else may set this up meanwhile: a signal handler's events, or pthread's own. */
	recorder_thread = THREAD_NONE;
	thread = thread_map();
	thread_join(thread ? thread->id : thread_id());
	if (thread) {
		thread_count();
		height_new_step();
		(void)pthread_setspecific(thread_key, thread_rounds.round);
		recorder_thread = thread;
	}
	errno = saved_errno;
	return thread;
}

void thread_child(void)
{
	struct recorder_thread *thread = recorder_thread;

	store_relaxed(&thread_only, 0);
	store_relaxed(&thread_since.first, 0);
	if ((uintptr_t)thread <= 1)
		return;
	place_keep_only(thread);
	quarantine_abandon(thread);
	memset(&thread->cursor, 0, sizeof(thread->cursor));
	memset(&thread->pen, 0, sizeof(thread->pen));
	tally_begin(thread);
	memo_bytes = 0;
	if (memo_is_mapped(thread))
		memo_count((int64_t)thread->memo_bytes);
	/* What is remembered is in the store, and names no process: such traces are not. */
	if (thread->event)
		thread_memo_forget(thread);
	stackdepot_unwind_forget(thread->unwinder);
	thread->id = thread_id();
	thread_join(thread->id);
	thread->random ^= (uint64_t)thread->id << 32;
	thread_count();
}
