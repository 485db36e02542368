/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* pause.h - waiting between two looks at a process. */
#ifndef BASE_PAUSE_H
#define BASE_PAUSE_H

/* The whole time, whatever signals come. */
void pause_for(double seconds);

#endif
