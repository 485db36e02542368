/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a thread that is to be cancelled only allocates, more than the table has room for
 * modes: full
 * maps: 200
 * expect: errors 0
 * expect: estimated
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define OBJECTS 1200000

static void *volatile last;

static void *allocates(void *unused)
{
	int i;

	(void)unused;
	pthread_cancel(pthread_self());
	for (i = 0; i < OBJECTS; i++) {
		void **object = malloc(16);

		*object = last;
		last = object;
	}
	return &last;
}

int main(void)
{
	pthread_t thread;
	void *result;

	pthread_create(&thread, NULL, allocates, NULL);
	pthread_join(thread, &result);
	puts(result == &last ? "by itself" : "cancelled");
	return 0;
}
