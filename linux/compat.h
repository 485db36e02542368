/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* compat.h - what Linux 6.12 lacks of 7.3, for the depot's files. */
#ifndef STACKDEPOT_COMPAT_H
#define STACKDEPOT_COMPAT_H

#include <linux/gfp.h>

/* Everybody may spin there: flags without reclaim, such as KMSAN's, only say not to sleep. */
static inline bool gfpflags_allow_spinning(gfp_t gfp)
{
	return true;
}

#endif
