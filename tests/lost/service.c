/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * service.c - a service under load that leaks slowly: four threads answer requests, as many a
 * second as they are sent.
 *
 * usage: lost-service
 *
 * A request parses, works, looks into a cache and answers; one in 20 forgets a session. Sessions
 * are as large as other things, so only their stack tells. On "x\n" it says how many bytes of them
 * are lost, as it does at the end.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS = 4, CACHE = 4096, A_SECOND = 2000, FORGETS = 20, PARTS = 24, WORK = 60000 };

struct page {
	char *body;
	size_t bytes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct page *cache[CACHE];
static uint64_t lost_bytes;
static bool stop;

static uint64_t next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

static __attribute__((noinline)) struct page *make_page(uint64_t number)
{
	struct page *page = malloc(sizeof(*page));

	page->bytes = 200 + number % 2000;
	page->body = malloc(page->bytes);
	memset(page->body, (int)number, page->bytes);
	return page;
}

static __attribute__((noinline)) void look_up(uint64_t number)
{
	struct page **place = &cache[number % CACHE], *old;

	pthread_mutex_lock(&lock);
	old = *place;
	if (!old || number % 3 == 0) {
		*place = make_page(number);
		if (old) {
			free(old->body);
			free(old);
		}
	}
	pthread_mutex_unlock(&lock);
}

/* The leak. */
static __attribute__((noinline)) void open_session(uint64_t number)
{
	const size_t bytes = 200 + number % 600;
	char *volatile session = malloc(bytes);

	memset(session, 1, bytes);
	if (number % FORGETS) {
		free(session);
		return;
	}
	__atomic_fetch_add(&lost_bytes, bytes, __ATOMIC_RELAXED);
	session = NULL;
}

static __attribute__((noinline)) uint64_t parse(uint64_t *state)
{
	char *parts[PARTS];
	uint64_t sum = 0;

	for (int i = 0; i < PARTS; i++) {
		parts[i] = malloc(16 + next(state) % 500);
		parts[i][0] = (char)i;
	}
	for (int i = 0; i < WORK; i++)
		sum = sum * 31 + (uint64_t)parts[i % PARTS][0];
	for (int i = 0; i < PARTS; i++)
		free(parts[i]);
	return sum;
}

static void *serve(void *argument)
{
	uint64_t state = (uintptr_t)argument, sum = 0, number;
	const struct timespec pause = {0, 1000000000 / (A_SECOND / THREADS)};

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		number = next(&state);
		sum += parse(&state);
		look_up(number);
		open_session(next(&state));
		nanosleep(&pause, NULL);
	}
	return (void *)(uintptr_t)(sum & 1);
}

int main(void)
{
	pthread_t threads[THREADS];
	int c;

	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, serve, (void *)(i + 1));
	puts("ready");
	fflush(stdout);
	while ((c = getchar()) == 'x') {
		(void)getchar();
		printf("%llu\n",
		       (unsigned long long)__atomic_load_n(&lost_bytes, __ATOMIC_RELAXED));
		fflush(stdout);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("%llu\n", (unsigned long long)lost_bytes);
	return 0;
}
