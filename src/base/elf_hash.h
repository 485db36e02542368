/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* elf_hash.h - what DT_GNU_HASH has for a name. */
#ifndef BASE_ELF_HASH_H
#define BASE_ELF_HASH_H

#include <stdint.h>

static inline uint32_t elf_hash_of(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (uint8_t)*name;
	return hash;
}

#endif
