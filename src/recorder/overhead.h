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
/* An object of this size was recorded: those that are not are like it, on average. */
void overhead_sample(uint64_t size);
/* So many bytes were allocated without that anything was recorded. */
void overhead_count(uint64_t bytes);
/* Look whether the share is kept, if that was not done just now. */
void overhead_pass(void);

#endif
