/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* ended.h - who goes on until a signal ends him. */
#ifndef FLEET_ENDED_H
#define FLEET_ENDED_H

#include <stdbool.h>

/* From now on SIGTERM and SIGINT are only noted; they stay blocked. */
void ended_note(void);
/* In a child: it ends by them, also by one that came since the fork. */
void ended_forget(void);
bool ended(void);
/* Until the end, at most so long. */
void ended_pause(double seconds);

#endif
