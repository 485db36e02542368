/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* process_limits.h - what the program is allowed to have. */
#ifndef RECORDER_PROCESS_LIMITS_H
#define RECORDER_PROCESS_LIMITS_H

#include <stdint.h>

/* Why a store of so many bytes, and what goes with it, may be too much for the program; or NULL. */
const char *limits_memory(uint64_t bytes);
/* May the file become so large? 0 or a negative errno. */
int limits_file(int fd, uint64_t bytes);
/* Make it so large, with all its blocks. 0 or a negative errno; never a signal. */
int limits_reserve(int fd, uint64_t bytes);

#endif
