/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ends_wrong.c - preloaded: each process that ends by exit(), also one that a fork() made, reads a
 * byte beyond an object of its own. Where this is reported the process was checked up to its end.
 *
 * What lies there is the C library's, so without tags nothing happens.
 */
#include <stdlib.h>

#define OBJECT_BYTES 32

static __attribute__((noinline)) void read_beyond(void)
{
	volatile char *object = malloc(OBJECT_BYTES);

	(void)object[OBJECT_BYTES];
	free((void *)object);
}

__attribute__((constructor)) static void ends_wrong(void)
{
	(void)atexit(read_beyond);
}
