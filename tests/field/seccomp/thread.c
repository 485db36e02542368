/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: threads begin under a filter, which allows what the C library needs for them
 * maps: 20
 * expect: errors 0
 */
#include <pthread.h>
#include "filter.h"

#define THREADS 20

/* All are there at once: else how many stacks and arenas there are is chance. */
static pthread_barrier_t all;

static void *run(void *argument)
{
	volatile char *block;
	int i;

	pthread_barrier_wait(&all);
	for (i = 0; i < 3000; i++) {
		block = malloc(10 + (size_t)i % 900);
		block[0] = 1;
		free((void *)block);
	}
	pthread_barrier_wait(&all);
	return argument;
}

int main(void)
{
	pthread_t thread[THREADS];
	int i;

	FILTER_ALLOW(FILTER_MALLOC, SYS_clone, SYS_clone3, SYS_mprotect, SYS_set_robust_list,
		     SYS_rseq, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_madvise, SYS_openat,
		     SYS_close, SYS_sched_getaffinity);
	pthread_barrier_init(&all, NULL, THREADS);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, run, NULL))
			_exit(1);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	puts("done");
	fflush(stdout);
	_exit(7);
}
