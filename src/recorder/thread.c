/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * thread.c - what the recorder remembers of each thread.
 *
 * One mapping per thread, made at its first event and released as its thread-specific data is
 * destroyed, in the last round, as other destructors free memory too. A thread that goes on after
 * that is recorded without memory of its last walk.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder.h"

#define THREAD_BYTES ((sizeof(struct recorder_thread) + 4095) & ~(size_t)4095)
#define THREAD_MAPPED (THREAD_BYTES + STACKDEPOT_UNWINDER_BYTES + RECORDER_ALTSTACK_BYTES)
#define THREAD_NONE ((struct recorder_thread *)1) /* ended, or just beginning */

__thread struct recorder_thread *recorder_thread __attribute__((tls_model("initial-exec")));

/* Rounds of the destructor that this thread has seen; the value of the key, so never 0. */
struct thread_rounds {
	char round[PTHREAD_DESTRUCTOR_ITERATIONS + 1];
};

static const struct thread_rounds thread_rounds;
static pthread_key_t thread_key;
static bool thread_key_made;

uint32_t thread_id(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

/* xorshift64*: for sampling, not for secrets. */
uint64_t thread_random(struct recorder_thread *thread)
{
	uint64_t x = thread->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	thread->random = x;
	return x * 0x2545f4914f6cdd1dull;
}

static void thread_release(struct recorder_thread *thread)
{
	recorder_thread = THREAD_NONE;
	altstack_end();
	if (load_relaxed(&recorder.ready) && load_relaxed(recorder.alive)) {
		struct store_counts *counts = &recorder.header->counts;

		quarantine_drain(thread);
		(void)fetch_add_relaxed(&counts->live_objects,
					(uint64_t)(int64_t)thread->live_delta);
		(void)fetch_add_relaxed(&counts->threads, ~0ull);
		recorder_count_tool(-(int64_t)THREAD_MAPPED);
	}
	(void)munmap((char *)thread - RECORDER_ALTSTACK_BYTES, THREAD_MAPPED);
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
	struct store_counts *counts = &recorder.header->counts;
	uint64_t threads = fetch_add_relaxed(&counts->threads, 1) + 1;

	if (threads > load_relaxed(&counts->threads_peak))
		store_relaxed(&counts->threads_peak, threads);
	recorder_count_tool((int64_t)THREAD_MAPPED);
}

static struct recorder_thread *thread_map(void)
{
	char *memory = mmap(NULL, THREAD_MAPPED, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct recorder_thread *thread = (void *)(memory + RECORDER_ALTSTACK_BYTES);

	if (memory == MAP_FAILED)
		return NULL;
	altstack_begin(memory);
	thread->id = thread_id();
	thread->random = recorder_now_ns() * 2 + 1 + ((uint64_t)thread->id << 40);
	if (recorder.options.guard_interval)
		thread->guard_left =
			1 + (uint32_t)(thread_random(thread) % recorder.options.guard_interval);
	thread->unwinder =
		stackdepot_unwind_init((char *)thread + THREAD_BYTES, STACKDEPOT_UNWINDER_BYTES);
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
	if (thread) {
		thread_count();
		(void)pthread_setspecific(thread_key, thread_rounds.round);
		recorder_thread = thread;
	}
	errno = saved_errno;
	return thread;
}

void thread_child(void)
{
	struct recorder_thread *thread = recorder_thread;

	if ((uintptr_t)thread <= 1)
		return;
	quarantine_abandon(thread);
	memset(&thread->cursor, 0, sizeof(thread->cursor));
	stackdepot_unwind_forget(thread->unwinder);
	thread->id = thread_id();
	thread->live_delta = 0;
	sample_left = 0;
	thread->random ^= (uint64_t)thread->id << 32;
	thread_count();
}
