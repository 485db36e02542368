/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A second thread cannot have its object larger, and writes behind it all the same. */
#include <pthread.h>
#include <stdint.h>

#include "bug.h"

static bug_function void release(void *object)
{
	free(object);
}

static bug_function void *run(void *nothing)
{
	char *object = allocate(24);

	if (realloc(hidden(object), SIZE_MAX / 4))
		return nothing;
	((char *)hidden(object))[24] = 'x';
	release(object);
	return nothing;
}

int main(void)
{
	pthread_t thread;

	/* so that the thread is not the first to allocate */
	free(allocate(10));
	if (pthread_create(&thread, NULL, run, NULL) || pthread_join(thread, NULL))
		return 1;
	return 7;
}
