/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* calls.h - what SystemCallFilter= leaves of the recorder's system calls. */
#ifndef SERVICE_CALLS_H
#define SERVICE_CALLS_H

#include "unit.h"

/*
 * Those that are forbidden, "fallocate, mmap", to be freed; NULL: none. *RET_UNKNOWN is a group
 * whose calls nobody here knows, as systemd-analyze is not there; NULL: there is none.
 */
char *calls_forbidden(const struct unit *unit, char **ret_unknown);

#endif
