/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* status.h - exit statuses of everything but `run`, which has those of env(1) and the program's. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#define STATUS_CLEAN 0	  /* nothing was found */
#define STATUS_FINDINGS 1 /* something was, and was shown */
#define STATUS_FAILED 2	  /* wrong usage, a file that cannot be read or written, no memory */

#endif
