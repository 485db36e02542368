/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* search.h - how far in a sorted list something is. */
#ifndef BASE_SEARCH_H
#define BASE_SEARCH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* How many of NR entries of so many BYTES, sorted by the number at OFFSET, have WANTED or less. */
static inline size_t search_numbers(const void *list, size_t nr, size_t bytes, size_t offset,
				    uint64_t wanted)
{
	size_t low = 0, high = nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint64_t number;

		memcpy(&number, (const char *)list + middle * bytes + offset, sizeof(number));
		if (number <= wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The same of a list whose entries have the number as MEMBER. */
#define search_up_to(list, nr, member, wanted) \
	search_numbers(list, nr, sizeof(*(list)), offsetof(__typeof__(*(list)), member), wanted)

#endif
