/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* ended.h - who goes on until a signal ends him. */
#ifndef FLEET_ENDED_H
#define FLEET_ENDED_H

#include <stdbool.h>

/* From now on SIGTERM and SIGINT are only noted. */
void ended_note(void);
bool ended(void);
/* Until the end, at most so long. */
void ended_pause(double seconds);

#endif
