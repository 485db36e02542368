/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* exits.h - what is lost when processes of a run end. */
#ifndef CLI_EXITS_H
#define CLI_EXITS_H

#include <stdbool.h>

/*
 * From here on processes of the run that comes to be in STORE are looked at before they end, by a
 * process beside this one, and what was found is kept (profile/lost_kept.c). False after a
 * complaint.
 */
bool exits_begin(const char *store);
/* All that there were have ended. */
void exits_end(void);

#endif
