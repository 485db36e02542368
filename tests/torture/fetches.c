/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * fetches - as many fetches as possible of traces that are being evicted, each checked.
 *
 * A writer saves fresh traces without end. Two threads, and a timer's handler that interrupts all
 * of them, fetch those it saved last, by reference and by handle. What comes is one trace as a
 * whole, and by a reference the one that it is of; or nothing, as it was evicted.
 *
 * A frame is made from the trace's number and its depth, and the innermost one has the number, so
 * that checking takes less than fetching. Traces whose numbers differ in the lowest two bits only
 * have the same outer frames.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "torture.h"

enum { READERS = 2, LINES = 1024, SEEN = 256, MOST = 20, OWN = 8, HANDLER_FETCHES = 32 };

#define ID_BITS (sizeof(uintptr_t) == 8 ? 40 : 24)
#define ID_MASK ((1ull << ID_BITS) - 1)

/* What was saved last: a number is of the reference that is the same before and after it. */
struct saved {
	_Atomic stackdepot_ref_t ref;
	_Atomic stackdepot_handle_t handle;
	atomic_ulong id;
};

static struct stackdepot *depot;
static struct saved seen[SEEN];
static atomic_bool stop;
static atomic_ulong fetched, stale, in_handlers;
static _Thread_local unsigned long my_fetched, my_stale;

static uintptr_t frame_of(uint64_t id, unsigned int from_root)
{
	const uint64_t shared = from_root < MOST - OWN ? id >> 2 : id;

	return (uintptr_t)(0x56ull << ID_BITS |
			   ((shared * MOST + from_root) * 0x9e3779b97f4a7c15ull) >> (64 - ID_BITS));
}

static unsigned int length_of(uint64_t id)
{
	return MOST - OWN * (unsigned int)(id >> 2 & 1) - (unsigned int)(id % 4);
}

static void make(uint64_t id, uintptr_t *frames)
{
	const unsigned int nr = length_of(id);
	unsigned int i;

	frames[0] = (uintptr_t)(0x55ull << ID_BITS | id);
	for (i = 1; i < nr; i++)
		frames[i] = frame_of(id, nr - 1 - i);
}

static void check(const uintptr_t *frames, int nr)
{
	const uint64_t id = frames[0] & ID_MASK;
	uintptr_t differ = frames[0] ^ (uintptr_t)(0x55ull << ID_BITS | id);
	unsigned int i;

	TORTURE_CHECK((unsigned int)nr == length_of(id));
	for (i = 1; i < (unsigned int)nr; i++)
		differ |= frames[i] ^ frame_of(id, (unsigned int)nr - 1 - i);
	TORTURE_CHECK(!differ);
}

static void fetch(struct saved *saved)
{
	const stackdepot_ref_t ref = atomic_load_explicit(&saved->ref, memory_order_acquire);
	const unsigned long id = atomic_load_explicit(&saved->id, memory_order_acquire);
	const stackdepot_handle_t handle =
		atomic_load_explicit(&saved->handle, memory_order_acquire);
	uintptr_t frames[MOST];
	int nr;

	if (!ref)
		return;
	nr = stackdepot_fetch_ref(depot, ref, frames, MOST);
	if (nr > 0) {
		check(frames, nr);
		if (atomic_load_explicit(&saved->ref, memory_order_relaxed) == ref)
			TORTURE_CHECK((frames[0] & ID_MASK) == id);
	}
	my_fetched += nr > 0;
	my_stale += nr == -ESTALE;
	TORTURE_CHECK(nr > 0 || nr == -ESTALE);
	/* A handle has some bits of the generation only: of a later life, it is that one's. */
	nr = stackdepot_fetch(depot, handle, frames, MOST);
	if (nr > 0)
		check(frames, nr);
	my_fetched += nr > 0;
	my_stale += nr == -ESTALE;
	TORTURE_CHECK(nr > 0 || nr == -ESTALE);
}

static void handler(int number)
{
	static _Thread_local unsigned int next;
	const int saved_errno = errno;
	const unsigned long before = my_fetched;
	unsigned int i;

	(void)number;
	for (i = 0; i < HANDLER_FETCHES; i++)
		fetch(&seen[next++ % SEEN]);
	atomic_fetch_add_explicit(&in_handlers, my_fetched - before, memory_order_relaxed);
	errno = saved_errno;
}

static void account(void)
{
	atomic_fetch_add(&fetched, my_fetched);
	atomic_fetch_add(&stale, my_stale);
}

static void *read_all(void *argument)
{
	unsigned int i;

	(void)argument;
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		for (i = 0; i < SEEN; i++)
			fetch(&seen[i]);
	account();
	return NULL;
}

/* A few at a time, so that most of what the others fetch is there. */
static void *write_all(void *argument)
{
	const struct timespec pause = {0, 20000};
	uint64_t id = *(const uint64_t *)argument;
	uintptr_t frames[MOST];

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		struct saved *saved = &seen[(id = (id + 1) & ID_MASK) % SEEN];
		stackdepot_handle_t handle;

		make(id, frames);
		handle = stackdepot_save(depot, frames, length_of(id), STACKDEPOT_GET);
		TORTURE_CHECK(handle);
		atomic_store_explicit(&saved->ref, 0, memory_order_relaxed);
		atomic_thread_fence(memory_order_release);
		atomic_store_explicit(&saved->id, (unsigned long)id, memory_order_release);
		atomic_store_explicit(&saved->handle, handle, memory_order_release);
		atomic_store_explicit(&saved->ref, stackdepot_ref(depot, handle),
				      memory_order_release);
		TORTURE_CHECK(!stackdepot_put(depot, handle));
		if (!(id % 64))
			(void)nanosleep(&pause, NULL);
	}
	account();
	return NULL;
}

static timer_t storm_begin(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
	struct itimerspec interval = {{0, 100000}, {0, 100000}};
	timer_t timer;

	TORTURE_CHECK(!sigaction(SIGUSR2, &action, NULL));
	TORTURE_CHECK(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	TORTURE_CHECK(!timer_settime(timer, 0, &interval, NULL));
	return timer;
}

int main(int argc, char **argv)
{
	struct torture_options options = torture_options(argc, argv, 8);
	const struct torture_shape shape = {"fetches", LINES, 0, 0, MOST, 0};
	const double end = torture_now() + options.seconds;
	struct stackdepot_stats stats;
	pthread_t threads[READERS + 1];
	unsigned int i;
	timer_t timer;

	depot = torture_create(&shape, NULL);
	timer = storm_begin();
	TORTURE_CHECK(!pthread_create(&threads[READERS], NULL, write_all, &options.seed));
	for (i = 0; i < READERS; i++)
		TORTURE_CHECK(!pthread_create(&threads[i], NULL, read_all, NULL));
	while (torture_now() < end) {
		const struct timespec pause = {0, 100000000};

		(void)nanosleep(&pause, NULL);
	}
	atomic_store(&stop, true);
	for (i = 0; i <= READERS; i++)
		TORTURE_CHECK(!pthread_join(threads[i], NULL));
	(void)timer_delete(timer);
	account();
	stackdepot_get_stats(depot, &stats);
	printf("%lu fetched and checked, %lu of them in handlers, %lu stale, %llu evicted; none "
	       "wrong\n",
	       atomic_load(&fetched), atomic_load(&in_handlers), atomic_load(&stale),
	       (unsigned long long)stats.evictions);
	TORTURE_CHECK(stats.evictions && atomic_load(&in_handlers) && atomic_load(&stale));
	stackdepot_destroy(depot);
	return 0;
}
