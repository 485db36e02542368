/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stop.h - `stackdepot run` stops with its program, and goes on with it. */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include <stdbool.h>
#include <sys/types.h>

/* Stop by signal NUMBER as PROGRAM has, until somebody continues us, or it. */
void stop_with(pid_t program, int number);
/* Was this process, who has continued us, only to do so because the program goes on? */
bool stop_was_ended_by(pid_t sender);

#endif
