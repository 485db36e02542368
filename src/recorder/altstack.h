/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* altstack.h - stacks that signals run on. */
#ifndef RECORDER_ALTSTACK_H
#define RECORDER_ALTSTACK_H

#define RECORDER_ALTSTACK_BYTES (64u << 10)

/* Let signals of the calling thread that ask for it run in this memory; and no longer. */
void altstack_begin(void *memory);
void altstack_end(void);

#endif
