/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* overhead.h - recording takes no more than its share of the CPU time. */
#ifndef OVERHEAD_H
#define OVERHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder.h"

/* From here on no more than so many thousandths of a percent; the rate to begin with, in bytes. */
uint64_t overhead_begin(uint64_t thousandths);
void overhead_end(void);
/* In a forked child, whose CPU time begins anew. */
void overhead_child(void);
/* Look whether the share is kept, if that was not done just now. */
void overhead_pass(void);

#endif
