/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* One thread allocates, the next one frees, and the first of all frees again. */
#include <pthread.h>

#include "bug.h"

static void *object;

static bug_function void *run_allocate(void *nothing)
{
	object = allocate(48);
	return nothing;
}

static bug_function void *run_free(void *nothing)
{
	free(object);
	return nothing;
}

static bug_function void free_again(void)
{
	free(hidden(object));
}

static int in_thread(void *(*run)(void *))
{
	pthread_t thread;

	return pthread_create(&thread, NULL, run, NULL) || pthread_join(thread, NULL);
}

int main(void)
{
	/* so that the threads are not the first to allocate */
	free(allocate(10));
	if (in_thread(run_allocate) || in_thread(run_free))
		return 1;
	free_again();
	return 7;
}
