/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* table.c - open addressing, at most half full. */
#include <stdlib.h>

#include "hash.h"
#include "memory.h"
#include "table.h"

#define TABLE_FIRST_SLOTS 1024u
#define TABLE_MOST_SLOTS ((size_t)1 << 32) /* as a hash has bits */

static size_t table_next(const struct table *table, size_t at)
{
	return (at + 1) & (table->size - 1);
}

static void table_grow(struct table *table)
{
	const struct table old = *table;
	size_t i, at;

	if (old.size == TABLE_MOST_SLOTS)
		memory_out();
	table->size = old.size ? 2 * old.size : TABLE_FIRST_SLOTS;
	table->slots = memory_alloc(table->size * sizeof(*table->slots));
	for (i = 0; i < old.size; i++) {
		if (!old.slots[i].number)
			continue;
		at = (size_t)old.slots[i].hash & (table->size - 1);
		while (table->slots[at].number)
			at = table_next(table, at);
		table->slots[at] = old.slots[i];
	}
	free(old.slots);
}

size_t table_number(struct table *table, uint64_t hash, table_same *same, const void *owner,
		    const void *key)
{
	uint32_t short_hash;
	size_t at;

	if (2 * table->nr >= table->size)
		table_grow(table);
	/* Whatever the halves have to do with each other: hash_word() leaves one in the other. */
	short_hash = (uint32_t)(hash * HASH_FACTOR >> 32);
	at = short_hash & (table->size - 1);
	for (; table->slots[at].number; at = table_next(table, at)) {
		const struct table_slot *slot = &table->slots[at];

		if (slot->hash == short_hash && same(owner, slot->number - 1, key))
			return slot->number - 1;
	}
	table->slots[at] = (struct table_slot){short_hash, (uint32_t)++table->nr};
	return table->nr - 1;
}

void table_free(struct table *table)
{
	free(table->slots);
	*table = (struct table){0};
}
