/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Keeps COUNT objects of 100 bytes, allocated steadily over SECONDS. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void *volatile kept;

__attribute__((noinline)) static void keep(void)
{
	kept = malloc(100);
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 1, seconds = argc > 2 ? atol(argv[2]) : 0, i;
	struct timespec pause = {0, seconds ? 10000000 : 0};

	for (i = 0; i < count; i++) {
		keep();
		if (seconds && i % (count / (seconds * 100)) == 0)
			nanosleep(&pause, NULL);
	}
	_exit(0);
}
