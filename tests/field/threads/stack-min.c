/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * run: MALLOC_ARENA_MAX=1 stack-min
 * maps: 40
 * watch: no
 * field: threads with the smallest stack there is allocate, through functions that need most of it
 */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static __attribute__((noinline)) void *fill(size_t bytes)
{
	volatile char most[6000];
	char *block;

	memset((char *)most, 1, sizeof(most));
	block = malloc(bytes);
	block[0] = most[bytes % 100];
	return block;
}

static void *run(void *argument)
{
	void *blocks[10];
	int i, j;

	for (i = 0; i < 100; i++) {
		for (j = 0; j < 10; j++)
			blocks[j] = fill((size_t)(100 * i + j + 1));
		for (j = 0; j < 10; j++)
			free(blocks[j]);
	}
	return argument;
}

int main(void)
{
	pthread_attr_t attributes;
	pthread_t thread[8];
	int i;

	pthread_attr_init(&attributes);
	if (pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN))
		return 1;
	for (i = 0; i < 8; i++)
		if (pthread_create(&thread[i], &attributes, run, NULL))
			return 2;
	for (i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	puts("done");
	return 0;
}
