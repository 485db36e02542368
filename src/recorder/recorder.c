/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* recorder.c - what all of the recorder stands on: its state, whose process it is, time, counts. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "filter.h"
#include "recorder.h"
#include "sample.h"

#define SIGNAL(number) (1ull << ((number)-1))

const uint64_t recorder_control_none;
static struct recorder_life unborn = {.here = 1, .control = &recorder_control_none};

struct recorder recorder;
struct recorder_life *recorder_life = &unborn;

/*
 * A child of vfork() has the page as its parent has it, with the parent's number. A forked one
 * finds it cleared until it has a slot.
 */
bool recorder_is_borrowed(void)
{
	uint32_t *owner = &recorder_life->pid, none = 0, process;

	if (recorder_life == &unborn || !filter_allows(FILTER_GETPID))
		return false;
	process = (uint32_t)getpid();
	return !__atomic_compare_exchange_n(owner, &none, process, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED) &&
	       none != process;
}

uint64_t recorder_now_ns(void)
{
	struct timespec now = {0, 0};

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void recorder_count(uint64_t *counter, uint64_t add)
{
	(void)fetch_add_relaxed(counter, add);
}

void recorder_count_tool(int64_t bytes)
{
	struct store_counts *counts = recorder_counts();
	uint64_t now = fetch_add_relaxed(&counts->tool_bytes, (uint64_t)bytes) + (uint64_t)bytes;

	if (now > load_relaxed(&counts->tool_bytes_peak))
		store_relaxed(&counts->tool_bytes_peak, now);
}

void recorder_hold(struct recorder_held *ret_held)
{
	const int saved_errno = errno;
	const uint64_t all = ~(SIGNAL(SIGSEGV) | SIGNAL(SIGBUS) | SIGNAL(SIGFPE) | SIGNAL(SIGILL) |
			       SIGNAL(SIGTRAP) | SIGNAL(SIGSYS));

	*ret_held = (struct recorder_held){.cancel = PTHREAD_CANCEL_ENABLE};
	ret_held->masked =
		filter_allows(FILTER_SIGPROCMASK) &&
		!raw_call(SYS_rt_sigprocmask, SIG_BLOCK, &all, &ret_held->mask, sizeof(all));
	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &ret_held->cancel);
	errno = saved_errno;
}

void recorder_let(const struct recorder_held *held)
{
	const int saved_errno = errno;

	(void)pthread_setcancelstate(held->cancel, NULL);
	if (held->masked)
		(void)raw_call(SYS_rt_sigprocmask, SIG_SETMASK, &held->mask, NULL,
			       sizeof(held->mask));
	errno = saved_errno;
}

int recorder_open(const char *path, int flags)
{
	int high, fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

	/* Who finds one of the standard descriptors closed expects it to stay so. */
	if (fd < 0 || fd > STDERR_FILENO)
		return fd < 0 ? -errno : fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (high < 0)
		high = -errno;
	(void)close(fd);
	return high;
}
