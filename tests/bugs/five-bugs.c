/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Five bugs of five kinds in one small program: what ./run shows when it is given none. */
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

static bug_function void free_twice(void)
{
	void *object = allocate(40);

	free(object);
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
	free_twice();
	free_the_middle();
	write_after_free();
	puts("all is well");
	return 0;
}
