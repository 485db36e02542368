/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* exit.h - the end of the process. */
#ifndef RECORDER_EXIT_H
#define RECORDER_EXIT_H

#include <stdbool.h>

/* The process ends: if that was asked for, wait until it was looked at. */
void exit_look(void);

#endif
