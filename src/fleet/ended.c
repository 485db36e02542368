/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* ended.c - a flag, and the signals that set it. */
#define _GNU_SOURCE
#include <math.h>
#include <signal.h>
#include <time.h>

#include "ended.h"

static volatile sig_atomic_t ended_flag;

static void ended_on_signal(int number)
{
	(void)number;
	ended_flag = 1;
}

void ended_note(void)
{
	const struct sigaction action = {.sa_handler = ended_on_signal};

	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
}

bool ended(void)
{
	return ended_flag;
}

void ended_pause(double seconds)
{
	const struct timespec time = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};

	if (!ended_flag)
		(void)nanosleep(&time, NULL);
}
