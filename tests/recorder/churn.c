/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * churn: allocates and frees along stacks whose shapes keep changing, for SECONDS; 0 is for ever.
 * Each stack is a path through eight functions chosen by a counter, so new ones come all the time.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define HELD 512
#define DEPTH 24
#define THREADS 2

static __thread void *held[HELD];
static __thread unsigned long path;

static void step(unsigned long way, int depth);

#define STEP(n)                                                                      \
	static __attribute__((noinline)) void step_##n(unsigned long way, int depth) \
	{                                                                            \
		step(way >> 3, depth - 1);                                           \
		__asm__ volatile("" ::: "memory");                                   \
	}
STEP(0)
STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7)

	static void (*const steps[])(unsigned long, int) = {step_0, step_1, step_2, step_3,
							    step_4, step_5, step_6, step_7};

static __attribute__((noinline)) void step(unsigned long way, int depth)
{
	void **slot;

	if (depth) {
		steps[way & 7](way, depth);
		__asm__ volatile("" ::: "memory");
		return;
	}
	slot = &held[path % HELD];
	free(*slot);
	*slot = malloc(16 + path % 200);
}

static void *churn(void *end)
{
	unsigned long seed = (unsigned long)pthread_self();

	while (!*(time_t *)end || time(NULL) < *(time_t *)end) {
		path++;
		seed = seed * 6364136223846793005ul + 1442695040888963407ul;
		step((path / 16 * 0x9e3779b97f4a7c15ul) ^ (seed >> 60), DEPTH);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	time_t end = argc > 1 && atoi(argv[1]) ? time(NULL) + atoi(argv[1]) : 0;
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, churn, &end);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	puts("done");
	return 0;
}
