/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: exit() in the handler of a signal that interrupts free(), and a library that binds deeply
 * field: frees its objects in a destructor, as in processes of Apache that are told to end
 * build: $CC -g -shared -fPIC -DLIBRARY -o objects.so $SRC/exit_in_free.c
 * build: $CC -g -O1 -o exit_in_free $SRC/exit_in_free.c
 * run: exit_in_free $BIN/objects.so
 * expect: errors 0
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#ifdef LIBRARY
#define OBJECTS 3000 /* of which some are guarded, where one in fifty is */

static void *objects[OBJECTS];

__attribute__((constructor)) static void make(void)
{
	int i;

	for (i = 0; i < OBJECTS; i++)
		objects[i] = malloc(16 + 16 * (i % 6));
}

__attribute__((destructor)) static void end(void)
{
	int i;

	for (i = 0; i < OBJECTS; i++) {
		size_t size = 16 + 16 * (i % 6);

		if (i % 3 == 1 && malloc_usable_size(objects[i]) < size)
			abort();
		if (i % 3 == 2)
			objects[i] = realloc(objects[i], 2 * size);
		free(objects[i]);
	}
	puts("all are freed");
	fflush(stdout);
}
#else
/* So large that it has its mapping by itself, and its header a page. */
#define LARGE (1 << 20)
#define PAGE 4096

static char *block;

static void leave(int number)
{
	(void)number;
	mprotect(block - PAGE, PAGE, PROT_READ | PROT_WRITE);
	exit(0);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = leave, .sa_flags = SA_NODEFER};

	if (!dlopen(argv[argc - 1], RTLD_NOW | RTLD_DEEPBIND))
		return 1;
	block = memalign(PAGE, LARGE);
	sigaction(SIGSEGV, &action, NULL);
	mprotect(block - PAGE, PAGE, PROT_NONE);
	free(block);
	return 2;
}
#endif
