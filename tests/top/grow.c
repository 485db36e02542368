/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * grow.c - allocates at known rates, for those who watch: keeps a KiB and passes on 4 KiB in 20
 * turns, 50 times a second. usage: grow SECONDS [MORE_BYTES]; MORE_BYTES are kept once, at first.
 */
#include <stdlib.h>
#include <time.h>

static void *kept[1 << 16];
static void *volatile sink;

__attribute__((noinline)) static void *keep_some(size_t bytes)
{
	return malloc(bytes);
}

__attribute__((noinline)) static void pass_on(size_t bytes)
{
	sink = malloc(bytes);
	free(sink);
}

__attribute__((noinline)) static void *keep_more(size_t bytes)
{
	return malloc(bytes);
}

int main(int argc, char **argv)
{
	const struct timespec pause = {0, 20 * 1000 * 1000};
	int turns = argc > 1 ? atoi(argv[1]) * 50 : 50, i, j;

	if (argc > 2)
		sink = keep_more((size_t)atol(argv[2]));
	for (i = 0; i < turns && i < 1 << 16; i++) {
		kept[i] = keep_some(1024);
		for (j = 0; j < 20; j++)
			pass_on(4096);
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}
