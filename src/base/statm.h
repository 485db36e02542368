/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* statm.h - how much memory a process has, from /proc/PID/statm. */
#ifndef BASE_STATM_H
#define BASE_STATM_H

#include <stdint.h>

/* Bytes; of a process that cannot be looked at all are 0. */
struct statm {
	uint64_t resident;
	uint64_t shared; /* of these, of files and shared memory */
	uint64_t data;	 /* what RLIMIT_DATA counts, and the stack */
};

/* @pid: 0 is the calling process. */
struct statm statm_read(int pid);

#endif
