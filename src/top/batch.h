/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* batch.h - rows for scripts, printed again and again. */
#ifndef TOP_BATCH_H
#define TOP_BATCH_H

#include "top.h"

/* Until they were printed top->times, or the process has ended. An exit status. */
int top_batch(struct top *top);

#endif
