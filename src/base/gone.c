/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * gone.c - zeros in the place of pages that cannot be had.
 *
 * What is read from a store is checked, so zeros do no harm; what would have been written there is
 * lost, as it would be without us.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gone.h"

static volatile sig_atomic_t gone;

static void gone_say(void)
{
	static const char line[] = "stackdepot: part of a file is gone while it is in use: it was "
				   "made shorter, or its disk is full\n";

	gone = 1;
	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		return;
}

static void gone_handler(int number, siginfo_t *info, void *context)
{
	const uintptr_t bytes = (uintptr_t)getpagesize();
	void *page = (void *)((uintptr_t)info->si_addr & ~(bytes - 1));
	const int saved_errno = errno;

	(void)context;
	if (info->si_code != BUS_ADRERR ||
	    mmap(page, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		 0) == MAP_FAILED)
		(void)signal(number, SIG_DFL); /* it comes again, and is the end */
	else if (!gone)
		gone_say();
	errno = saved_errno;
}

void gone_begin(void)
{
	struct sigaction action = {.sa_sigaction = gone_handler, .sa_flags = SA_SIGINFO};

	(void)sigaction(SIGBUS, &action, NULL);
}

bool gone_any(void)
{
	return gone;
}
