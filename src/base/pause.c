/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* pause.c - waiting. */
#define _GNU_SOURCE
#include <errno.h>
#include <time.h>

#include "pause.h"

void pause_for(double seconds)
{
	struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}
