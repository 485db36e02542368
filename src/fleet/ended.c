/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ended.c - the signals that end us, which wait until they are looked for.
 *
 * They are blocked, and no handler takes them: so none comes between the look and the sleep, where
 * a flag would be set too late for this sleep.
 */
#define _GNU_SOURCE
#include <math.h>
#include <signal.h>
#include <time.h>

#include "ended.h"

static sigset_t ended_signals; /* none, until they are to be noted */

void ended_note(void)
{
	(void)sigaddset(&ended_signals, SIGTERM);
	(void)sigaddset(&ended_signals, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &ended_signals, NULL);
}

void ended_forget(void)
{
	(void)sigprocmask(SIG_UNBLOCK, &ended_signals, NULL);
}

bool ended(void)
{
	sigset_t waiting;

	(void)sigpending(&waiting);
	return sigismember(&ended_signals, SIGTERM) &&
	       (sigismember(&waiting, SIGTERM) || sigismember(&waiting, SIGINT));
}

void ended_pause(double seconds)
{
	const struct timespec time = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
	int number = sigtimedwait(&ended_signals, NULL, &time);

	/* It goes on waiting, for ended(). */
	if (number > 0)
		(void)raise(number);
}
