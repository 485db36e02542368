/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* redzone.h - bytes behind the object that nobody may write. */
#ifndef RECORDER_REDZONE_H
#define RECORDER_REDZONE_H

#include <string.h>

#include "live_table.h"

#define REDZONE_MAX_BYTES 8u
extern const uint64_t redzone_pattern[];

/* What to ask the allocator for, so that there is room behind `size` bytes. */
size_t redzone_request(const struct real *below, size_t size);
void redzone_arm_rest(const struct real *below, void *pointer, size_t size);
/* Does the allocator have room for the object there, and what we put behind it? If not, the block
 * is another's by now. */
bool redzone_fits(const struct real *below, const void *pointer, const struct live_object *object);
/* Is it as it was left? If not, *ret_offset is where it differs and *ret_value what is there. */
bool redzone_intact(const struct real *below, const void *pointer, size_t size, size_t *ret_offset,
		    uint64_t *ret_value);

/* Of a block that so much was asked for. */
static inline void redzone_arm(const struct real *below, void *pointer, size_t size, size_t asked)
{
	if (likely(asked == size + REDZONE_MAX_BYTES))
		memcpy((char *)pointer + size, redzone_pattern, REDZONE_MAX_BYTES);
	else
		redzone_arm_rest(below, pointer, size);
}

#endif
