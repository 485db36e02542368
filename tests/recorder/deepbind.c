/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * deepbind PLUGIN: a library that finds the C library before the recorder allocates; the program
 * frees, and then has objects of its own at the same addresses, which it frees too. All are seen.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static void through(void **where)
{
	*where = NULL;
}

int main(int argc, char **argv)
{
	void *(*function)(void (*)(void **), void **);
	void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_DEEPBIND) : NULL;
	int i;

	if (!library)
		return 1;
	*(void **)&function = dlsym(library, "plugin_first");
	for (i = 0; i < 2000; i++) {
		void *object;

		free(function(through, &object));
		free(malloc(1111));
	}
	puts("done");
	return 0;
}
