/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* crash.h - deadly signals. */
#ifndef RECORDER_CRASH_H
#define RECORDER_CRASH_H

struct sigaction;
void crash_setup(void);
/* sigaction() as if nobody had replaced it, for signals the recorder watches too. */
void crash_real_sigaction(int number, const struct sigaction *action);

#endif
