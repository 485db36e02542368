/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* direct.h - system calls of the recorder's own, past the order of symbols. */
#ifndef RECORDER_DIRECT_H
#define RECORDER_DIRECT_H

/* Find the C library, once, while there is one thread. Until then calls are made here. */
void direct_setup(void);

#endif
