/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * table.h - which number a key has: open addressing over numbers that stand for what others keep.
 *
 * Numbers are given in the order keys come in, from 0, so whoever owns the keys has them in a list.
 * The table knows their hashes alone, and asks SAME whether a number of equal hash is the key.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_slot {
	uint32_t hash;
	uint32_t number; /* plus one; 0: free */
};

/* All zero: empty. */
struct table {
	struct table_slot *slots;
	size_t size; /* a power of two */
	size_t nr;   /* 2^31 at most */
};

/* Is KEY the one of this number? */
typedef bool table_same(const void *owner, size_t number, const void *key);

/* The number of a key; table->nr as it was before the call, if it is new. */
size_t table_number(struct table *table, uint64_t hash, table_same *same, const void *owner,
		    const void *key);
void table_free(struct table *table);

#endif
