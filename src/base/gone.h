/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * gone.h - pages of a mapped file, mostly a store, that cannot be had: somebody made the file
 * shorter, or its disk is full.
 */
#ifndef BASE_GONE_H
#define BASE_GONE_H

#include <stdbool.h>

/* From here on such a page is one of zeros instead of the end of this process, which is said once.
 */
void gone_begin(void);
/* Was there one? */
bool gone_any(void);

#endif
