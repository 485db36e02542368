/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Each of two threads believes that the object is its own to free. */
#include <pthread.h>

#include "bug.h"

static bug_function void free_in_thread(void *object)
{
	free(object);
}

static void *run(void *object)
{
	free_in_thread(object);
	return NULL;
}

static bug_function void free_in_main(void *object)
{
	free(object);
}

int main(void)
{
	void *object = allocate(48);
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, object) || pthread_join(thread, NULL))
		return 1;
	free_in_main(hidden(object));
	return 7;
}
