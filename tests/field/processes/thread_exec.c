/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: exec() from another thread than the first
 * build: $CC -g -O1 -o leaky $SRC/leaky.c; $CC -g -O1 -pthread -o thread_exec $SRC/thread_exec.c
 * expect: leak leak_here 100000 100
 * expect: says 1 program replaced by exec
 */
#include <pthread.h>
#include <unistd.h>

static void *other(void *argument)
{
	usleep(100000);
	execlp("leaky", "leaky", NULL);
	return argument;
}

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, other, NULL);
	pthread_join(thread, NULL);
	return 1;
}
