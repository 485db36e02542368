/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: two threads free the same block, which the C library does not notice
 * build: $CC -g -O1 -o freed_by_two $SRC/freed_by_two.c -pthread
 * run: freed_by_two
 * expect: errors double-free 1
 * modes: full guard
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *run(void *object)
{
	free(object);
	return NULL;
}

int main(void)
{
	void *volatile object = malloc(40);
	pthread_t thread;

	pthread_create(&thread, NULL, run, object);
	pthread_join(thread, NULL);
	free(object);
	(void)!write(1, "done\n", 5);
	_exit(3);
}
