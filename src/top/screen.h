/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* screen.h - on a terminal: a list of stacks, one stack, the help. */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include "top.h"

/* Until the user quits. An exit status. */
int top_screen(struct top *top);

#endif
