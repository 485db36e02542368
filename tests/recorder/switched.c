/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * switched.c - does what it is told on standard input, a line at a time, and says "done PID".
 *
 *	keep N BYTES	N objects more
 *	grow N BYTES	N objects more, which realloc() makes from small ones in many steps
 *	drop		all of them are freed
 *	rush N ASKS	N pairs of malloc() and free() of mixed sizes in each of 4 threads, and
 *			the size of each object is asked for so many times
 *	ends N		so many threads that allocate a little and end, one after the other
 *	other N		N pairs in a thread that stays, and that others leave alone
 *	fork		a child goes on with what follows; its parent waits, and ends as it does
 */
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4

struct kept {
	struct kept *next;
};

static struct kept *kept;

static __attribute__((noinline)) void keep(unsigned long nr, size_t bytes)
{
	while (nr--) {
		struct kept *one = malloc(bytes);

		one->next = kept;
		kept = one;
	}
}

static __attribute__((noinline)) void grow(unsigned long nr, size_t bytes)
{
	while (nr--) {
		struct kept *one = NULL;
		size_t size;

		for (size = 16; size < bytes; size += size)
			one = realloc(one, size);
		one = realloc(one, bytes);
		one->next = kept;
		kept = one;
	}
}

static void drop(void)
{
	while (kept) {
		struct kept *next = kept->next;

		free(kept);
		kept = next;
	}
}

static unsigned long asks;

static void *rush(void *argument)
{
	unsigned long nr = *(unsigned long *)argument, i, j;
	void *slot[32] = {NULL};

	for (i = 0; i < nr; i++) {
		free(slot[i % 32]);
		slot[i % 32] = malloc(16 + i * 7919 % 900);
		memset(slot[i % 32], 1, 16);
		for (j = 0; j < asks; j++)
			if (malloc_usable_size(slot[i % 32]) < 16)
				abort();
	}
	for (i = 0; i < 32; i++)
		free(slot[i]);
	return NULL;
}

static void threads(unsigned long nr)
{
	pthread_t thread[THREADS];
	unsigned int i;

	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, rush, &nr))
			abort();
	for (i = 0; i < THREADS; i++)
		(void)pthread_join(thread[i], NULL);
}

static void ends(unsigned long nr)
{
	unsigned long few = 40;
	pthread_t thread;

	while (nr--) {
		if (pthread_create(&thread, NULL, rush, &few))
			abort();
		(void)pthread_join(thread, NULL);
	}
}

static sem_t asked, answered;
static unsigned long other_nr;

static void *other_thread(void *argument)
{
	(void)argument;
	for (;;) {
		(void)sem_wait(&asked);
		(void)rush(&other_nr);
		(void)sem_post(&answered);
	}
	return NULL;
}

/* What this thread does allocates nothing, but when the other one begins. */
static void other(unsigned long nr)
{
	static bool is_there;
	pthread_t thread;

	other_nr = nr;
	if (!is_there && (sem_init(&asked, 0, 0) || sem_init(&answered, 0, 0) ||
			  pthread_create(&thread, NULL, other_thread, NULL)))
		abort();
	is_there = true;
	(void)sem_post(&asked);
	(void)sem_wait(&answered);
}

static void become_child(void)
{
	pid_t child = fork();
	int status;

	if (!child)
		return;
	(void)waitpid(child, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

int main(void)
{
	unsigned long a, b;
	char word[16], line[128];

	while (fgets(line, sizeof(line), stdin)) {
		a = b = 0;
		if (sscanf(line, "%15s %lu %lu", word, &a, &b) < 1)
			return 2;
		asks = b;
		if (!strcmp(word, "keep"))
			keep(a, b);
		else if (!strcmp(word, "grow"))
			grow(a, b);
		else if (!strcmp(word, "drop"))
			drop();
		else if (!strcmp(word, "rush"))
			threads(a);
		else if (!strcmp(word, "ends"))
			ends(a);
		else if (!strcmp(word, "other"))
			other(a);
		else if (!strcmp(word, "fork"))
			become_child();
		else
			return 2;
		printf("done %d\n", (int)getpid());
		(void)fflush(stdout);
	}
	return 0;
}
