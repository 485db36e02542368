/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* trace.h - from a place in the program to a handle. */
#ifndef RECORDER_TRACE_H
#define RECORDER_TRACE_H

#include "recorder.h"

/* The stack from `start` on, saved; 0 if that was not possible. A trace to be counted is asked for
 * with STACKDEPOT_GET. */
stackdepot_handle_t trace_save(struct recorder_thread *thread, const recorder_start *start,
			       unsigned int flags, stackdepot_ref_t *ret_ref);
/* The same for a signal context. */
stackdepot_ref_t trace_save_context(struct recorder_thread *thread, const void *context);
/* Count allocations, times 256, and their bytes. */
void trace_add(stackdepot_ref_t ref, uint64_t allocs, uint64_t bytes);

#endif
