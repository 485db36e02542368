/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * redzone.c - bytes behind the object that nobody may write.
 *
 * The pointer the program gets is the allocator's own, so whatever else knows the object goes on
 * working. Small objects are asked for with eight bytes more (`extends` of struct real). For the
 * rest what the allocator rounds up has to do.
 *
 * Nothing is done where some functions of the allocator are not ours: it may be told the size of
 * what it frees, or look at its blocks itself.
 */
#include <string.h>

#include "recorder.h"
#include "redzone.h"

#define REDZONE_TAGGED_BYTES (REDZONE_MAX_BYTES + 15u) /* and what is left of a granule */

/* No byte is 0, which is what a string written too far ends with. */
const uint64_t redzone_pattern[] = {0xe7b3d59fa1c68b9dull, 0xc9a5f18bd7e3b69dull,
				    0xb5e9c7a3f99d8bd1ull};
static_assert(sizeof(redzone_pattern) >= REDZONE_TAGGED_BYTES, "as long as any redzone");

size_t redzone_request(const struct real *below, size_t size)
{
	if (tags_wants(below, size))
		return tags_request(size);
	return size < below->extends ? size + recorder.options.redzone_bytes : size;
}

static size_t redzone_length(const struct real *below, const void *pointer, size_t size)
{
	const size_t wanted = recorder.options.redzone_bytes;
	size_t usable;

	if (tags_wants(below, size))
		return wanted ? tags_slack(size) + wanted : 0;
	if (likely(size < below->extends))
		return wanted;
	if (!wanted || !below->extends || !below->usable)
		return 0;
	usable = real_usable(below, (void *)(uintptr_t)pointer);
	if (usable <= size)
		return 0;
	return usable - size < wanted ? usable - size : wanted;
}

bool redzone_fits(const struct real *below, const void *pointer, const struct live_object *object)
{
	size_t needed = object->size;

	if (unlikely(!below->usable))
		return true;
	if (!object->bare)
		needed = redzone_request(below, needed);
	return real_usable(below, (void *)(uintptr_t)pointer) >= needed;
}

__attribute__((noinline)) void redzone_arm_rest(const struct real *below, void *pointer,
						size_t size)
{
	memcpy((char *)pointer + size, redzone_pattern, redzone_length(below, pointer, size));
}

bool redzone_intact(const struct real *below, const void *pointer, size_t size, size_t *ret_offset,
		    uint64_t *ret_value)
{
	const unsigned char *pattern = (const unsigned char *)redzone_pattern;
	const unsigned char *at = (const unsigned char *)pointer + size;
	size_t i, length = redzone_length(below, pointer, size);

	if (likely(length == REDZONE_MAX_BYTES) && likely(!memcmp(at, pattern, REDZONE_MAX_BYTES)))
		return true;
	for (i = 0; i < length && at[i] == pattern[i]; i++)
		;
	if (i == length)
		return true;
	*ret_offset = size + i;
	*ret_value = 0;
	if (length > sizeof(*ret_value)) {
		at += i < length - sizeof(*ret_value) ? i : length - sizeof(*ret_value);
		length = sizeof(*ret_value);
	}
	memcpy(ret_value, at, length);
	return false;
}
