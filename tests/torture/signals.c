/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * signals - a storm of signals whose handlers use the depot in the middle of everything.
 *
 * Two threads work; a timer and the main thread interrupt them as often as they can. Handlers
 * interrupt handlers too, three deep. Saves in handlers must not hang and must not be wrong.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "torture.h"

enum { THREADS = 2, DEPTH = 3 };

static atomic_bool stop;
static atomic_ulong handled, nested, inside_save;

/* One user for each depth of handlers, and one for the thread itself. */
static _Thread_local struct torture_user *my_users;
static _Thread_local volatile int depth;

/*
 * Blocked where a handler begins and ends: where signals come faster than handlers return, as under
 * an emulator, handlers that have yet to look at their depth would fill the stack.
 */
static sigset_t storm_signals;

static void handler(int number)
{
	const int saved_errno = errno;
	unsigned int i;

	(void)number;
	if (!my_users)
		return;
	atomic_fetch_add_explicit(&handled, 1, memory_order_relaxed);
	if (depth)
		atomic_fetch_add_explicit(&nested, 1, memory_order_relaxed);
	if (my_users[depth].busy)
		atomic_fetch_add_explicit(&inside_save, 1, memory_order_relaxed);
	depth++;
	if (depth < DEPTH)
		(void)pthread_sigmask(SIG_UNBLOCK, &storm_signals, NULL);
	errno = saved_errno;
	for (i = 0; i < 4; i++)
		torture_step(&my_users[depth]);
	torture_let_go(&my_users[depth]);
	TORTURE_CHECK(errno == saved_errno);
	(void)pthread_sigmask(SIG_BLOCK, &storm_signals, NULL);
	depth--;
}

static void *work(void *argument)
{
	my_users = argument;
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		torture_step(&my_users[0]);
	/* No handler from here on: its references would be nobody's. */
	my_users = NULL;
	torture_let_go(argument);
	return NULL;
}

static timer_t storm_begin(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
	struct itimerspec interval = {{0, 50000}, {0, 50000}};
	timer_t timer;

	(void)sigemptyset(&storm_signals);
	(void)sigaddset(&storm_signals, SIGUSR1);
	(void)sigaddset(&storm_signals, SIGUSR2);
	action.sa_mask = storm_signals;
	TORTURE_CHECK(!sigaction(SIGUSR1, &action, NULL) && !sigaction(SIGUSR2, &action, NULL));
	TORTURE_CHECK(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	TORTURE_CHECK(!timer_settime(timer, 0, &interval, NULL));
	return timer;
}

static void storm(const struct torture_shape *shape, uint64_t seed, double until)
{
	struct torture_user *users = calloc(THREADS * (DEPTH + 1), sizeof(*users));
	struct stackdepot *depot = torture_create(shape, NULL);
	pthread_t threads[THREADS];
	unsigned int i;

	TORTURE_CHECK(users);
	for (i = 0; i < THREADS * (DEPTH + 1); i++) {
		users[i] = (struct torture_user){.depot = depot, .shape = shape};
		users[i].random = seed + i * 1000003;
		users[i].most_held = 1 + i % 8;
	}
	atomic_store(&stop, false);
	for (i = 0; i < THREADS; i++)
		TORTURE_CHECK(!pthread_create(&threads[i], NULL, work, users + i * (DEPTH + 1)));
	while (torture_now() < until) {
		struct timespec pause = {0, 1000};

		for (i = 0; i < THREADS; i++)
			TORTURE_CHECK(!pthread_kill(threads[i], SIGUSR1));
		(void)nanosleep(&pause, NULL);
	}
	atomic_store(&stop, true);
	for (i = 0; i < THREADS; i++)
		TORTURE_CHECK(!pthread_join(threads[i], NULL));
	torture_check_quiet(depot, shape);
	stackdepot_destroy(depot);
	free(users);
}

int main(int argc, char **argv)
{
	struct torture_options options = torture_options(argc, argv, 8);
	const struct torture_shape *shape;
	double end = torture_now() + options.seconds;
	timer_t timer = storm_begin();
	uint64_t round = 0;

	do {
		for (shape = torture_shapes; shape->name; shape++)
			storm(shape, options.seed + round++, torture_now() + 0.5);
	} while (torture_now() < end);
	(void)timer_delete(timer);
	printf("%lu handlers, %lu of them inside handlers, %lu inside a save; no wrong trace\n",
	       atomic_load(&handled), atomic_load(&nested), atomic_load(&inside_save));
	return 0;
}
