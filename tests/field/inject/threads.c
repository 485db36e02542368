/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* threads - some threads, one after the other, that allocate, also on their way out. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_key_t key;

static void *run(void *argument)
{
	int i;

	pthread_setspecific(key, malloc(40));
	for (i = 0; i < 50; i++)
		free(malloc(10 + (size_t)i));
	return argument;
}

int main(void)
{
	pthread_t thread;
	int i;

	pthread_key_create(&key, free);
	for (i = 0; i < 4; i++) {
		if (pthread_create(&thread, NULL, run, NULL))
			return 1;
		pthread_join(thread, NULL);
	}
	puts("4 threads");
	return 7;
}
