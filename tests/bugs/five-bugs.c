/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Five bugs of five kinds in one small program: what ./run shows when it is given none. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "bug.h"

static bug_function void leak_a_page(void)
{
	memset(allocate(4096), 1, 4096);
}

static bug_function void write_past_the_end(void)
{
	char *name = allocate(10);

	strcpy(hidden(name), "ten letter");
	free(name);
}

static bug_function void *free_in_thread(void *object)
{
	free(object);
	return NULL;
}

static bug_function void free_twice(void)
{
	void *object = allocate(40);
	pthread_t thread;

	/* The C library would notice it in one thread, and end the program before it is through. */
	if (!pthread_create(&thread, NULL, free_in_thread, object))
		pthread_join(thread, NULL);
	free(hidden(object));
}

static bug_function void free_the_middle(void)
{
	char *object = allocate(100);

	free(hidden(object + 16));
	free(object);
}

static bug_function void write_after_free(void)
{
	int *counter = allocate(sizeof(*counter) * 8);
	int i;

	free(counter);
	((int *)hidden(counter))[2] = 42;
	/* The write is found when the block leaves the quarantine. */
	for (i = 0; i < 200000; i++)
		free(allocate(32));
}

int main(void)
{
	leak_a_page();
	write_past_the_end();
	write_after_free();
	free_twice();
	puts("all is well");
	free_the_middle();
	return 0;
}
