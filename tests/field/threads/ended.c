/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * run: MALLOC_ARENA_MAX=1 ended
 * maps: 40
 * watch: no
 * field: threads begin and end by the thousand; what they leave is used again
 * expect: errors 0
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_key_t key;

static void last(void *value)
{
	free(value);
	free(malloc(30));
}

static void *run(void *argument)
{
	pthread_setspecific(key, malloc(10));
	free(malloc(1000));
	return argument;
}

int main(void)
{
	pthread_t thread[10];
	int i, j;

	pthread_key_create(&key, last);
	for (i = 0; i < 300; i++) {
		for (j = 0; j < 10; j++)
			if (pthread_create(&thread[j], NULL, run, NULL))
				return 1;
		for (j = 0; j < 10; j++)
			pthread_join(thread[j], NULL);
	}
	puts("done");
	return 0;
}
