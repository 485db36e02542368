/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program forbids itself more data, and goes on with what its heap has, and writes to it;
 * field: now and then it reads beyond a block, which does no harm, with its signals blocked and not
 * build: $CC -g -O1 -w -o guarded_data $SRC/guarded_data.c
 * expect: errors only slab-out-of-bounds slab-use-after-free
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define OBJECTS 20000
#define KEPT 1000
#define BYTES 64

static unsigned char *objects[OBJECTS];
static volatile int sum;

/* Nothing depends on what is there. */
static void reads(const unsigned char *volatile object, int i)
{
	sum += object[BYTES + i % 16];
}

static int goes_on(void)
{
	int i, none = 0;

	for (i = 0; i < KEPT; i++) {
		memset(objects[i], i, BYTES);
		reads(objects[i], i);
	}
	for (i = 0; i < 3000; i++) {
		unsigned char *volatile object = malloc(BYTES);

		none += !object;
		memset(object, 1, BYTES);
		reads(object, i);
		free(object);
		sum += object[BYTES / 2];
	}
	return none;
}

int main(void)
{
	const struct rlimit page = {4096, 4096};
	sigset_t all;
	int i;

	puts("begins");
	for (i = 0; i < OBJECTS; i++)
		objects[i] = malloc(BYTES);
	for (i = KEPT; i < OBJECTS - 1; i++)
		free(objects[i]);
	setrlimit(RLIMIT_DATA, &page);
	printf("%d\n", goes_on());
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	printf("%d\n", goes_on());
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	printf("%d\n", goes_on());
	return 3;
}
