/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * hash.h - two hashes, for tables and for keys; of the tool, and of what it reads.
 *
 * hash_bytes() and hash_text() are FNV-1a, byte after byte; hash_word() takes a word in one
 * multiplication, and is for tables and for words that are hashes already. All are the same on
 * every machine, so keys that are shown or kept, such as profile_key(), are made of them. They can
 * be continued: the hash of what came before goes in.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_BASIS 0xcbf29ce484222325ull  /* of FNV-1a, 64 bits */
#define HASH_PRIME 0x100000001b3ull	  /* likewise */
#define HASH_FACTOR 0x9e3779b97f4a7c15ull /* 2^64 / golden ratio, odd */

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	while (length--)
		hash = (hash ^ *at++) * HASH_PRIME;
	return hash;
}

/* With its NUL, so that "ab" "c" is not "a" "bc". */
static inline uint64_t hash_text(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (unsigned char)*text) * HASH_PRIME;
	while (*text++);
	return hash;
}

static inline uint64_t hash_word(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * HASH_FACTOR;
	return hash ^ hash >> 32;
}

#endif
