/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* terminal.h - the terminal, which is given back whatever happens. */
#ifndef TOP_TERMINAL_H
#define TOP_TERMINAL_H

#include <stdbool.h>

/* Take the terminal over; whatever ends the process gives it back as it was. */
bool terminal_enter(void);
void terminal_leave(void);
/* Has ctrl-Z been typed, or was the process stopped? Then stop, and when it goes on redraw. */
bool terminal_pause(void);

#endif
