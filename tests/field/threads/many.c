/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: thousands of threads at a time, each with its mappings, near vm.max_map_count
 * maps: 700
 * slow: yes
 * modes: full
 */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 20000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all = PTHREAD_COND_INITIALIZER;
static int begun;

static void *run(void *argument)
{
	void *block = malloc(100);

	pthread_mutex_lock(&lock);
	if (++begun == THREADS)
		pthread_cond_broadcast(&all);
	while (begun < THREADS)
		pthread_cond_wait(&all, &lock);
	pthread_mutex_unlock(&lock);
	free(block);
	return argument;
}

int main(void)
{
	static pthread_t thread[THREADS];
	pthread_attr_t attributes;
	int i;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 << 10);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], &attributes, run, NULL)) {
			printf("thread %d: no\n", i);
			_exit(1);
		}
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	puts("done");
	return 0;
}
