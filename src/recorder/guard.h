/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* guard.h - some objects lie between pages that cannot be touched. */
#ifndef RECORDER_GUARD_H
#define RECORDER_GUARD_H

#include "live_table.h"

extern uintptr_t guard_low, guard_bytes;

static inline bool guard_owns(const void *pointer)
{
	return (uintptr_t)pointer - guard_low < guard_bytes;
}

/* Does this pointer surely belong to the allocator alone, and to nothing that is recorded? */
static inline bool live_skips(const void *pointer)
{
	const enum live_frees frees = load_relaxed(&live_frees);

	if (unlikely(tags_of(pointer)))
		return false;
	if (frees < 0)
		return true;
	return frees && likely(live_is_filtered((uintptr_t)pointer)) && !guard_owns(pointer);
}

void guard_setup(void);
void guard_child(void);
/* NULL: there is no place for it. */
__attribute__((noinline)) void *guard_alloc(struct recorder_thread *thread, size_t size,
					    size_t align);
/* Without `start` nothing is recorded of it. */
void guard_free(const struct real *below, struct recorder_thread *thread,
		const recorder_start *start, void *pointer);
size_t guard_size(const void *pointer);
/* No object can be touched and fault while this is held; all that are guarded now can be touched.
 */
void guard_hold(void);
void guard_release(void);
/* Report the access at `address`, and let it go on. False if it is none of ours. */
bool guard_fault(struct recorder_thread *thread, uintptr_t address, const void *context,
		 unsigned int flags);

#endif
