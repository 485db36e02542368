/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* filter.h - which system calls of ours the program's own seccomp filters leave. */
#ifndef FILTER_H
#define FILTER_H

#include "recorder.h"

enum filter_call {
	FILTER_MMAP,
	FILTER_MADVISE,
	FILTER_POPULATE,
	FILTER_MPROTECT,
	FILTER_TAGS, /* pages that can have tags, on arm64 */
	FILTER_SIGALTSTACK,
	FILTER_SIGACTION,
	FILTER_SIGPROCMASK,
	FILTER_SIGRETURN, /* the way back from a handler of ours */
	FILTER_SIGQUEUE,
	FILTER_TGKILL,
	FILTER_GETPID,
	FILTER_GETTID,
	FILTER_READLINK,
	FILTER_GETCWD,
	FILTER_WRITE,
	FILTER_STAT,
	FILTER_MAPS,   /* reading /proc/self/maps */
	FILTER_CHILD,  /* a slot for a forked child */
	FILTER_STORE,  /* all that making a store, or mapping it, takes */
	FILTER_EXEC,   /* looking at what is started */
	FILTER_CLOCK,  /* CPU time of the process */
	FILTER_SHARED, /* how large shared memory is */
	FILTER_LOOK,   /* to be looked at before it ends */
};

/* A bit for each that is denied. */
extern uint32_t filter_denied;

static inline bool filter_allows(enum filter_call call)
{
	return likely(!(load_relaxed(&filter_denied) & 1u << call));
}

/* Is everything? What the program starts is under the filter, too, and begins with other calls. */
static inline bool filter_allows_all(void)
{
	return likely(!load_relaxed(&filter_denied));
}

/* A system call, past all that replaces some of them here; -1 and errno, as syscall() has it. */
long raw_call(long number, ...);

#endif
