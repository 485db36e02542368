/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* table.c - open addressing, at most half full. */
#include <stdlib.h>

#include "memory.h"
#include "table.h"

#define TABLE_FIRST_SLOTS 1024u

static size_t table_next(const struct table *table, size_t at)
{
	return (at + 1) & (table->size - 1);
}

static void table_grow(struct table *table)
{
	const struct table old = *table;
	size_t i, at;

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
	size_t at;

	if (2 * table->nr >= table->size)
		table_grow(table);
	hash ^= hash >> 32;
	at = (size_t)hash & (table->size - 1);
	for (; table->slots[at].number; at = table_next(table, at)) {
		const struct table_slot *slot = &table->slots[at];

		if (slot->hash == hash && same(owner, slot->number - 1, key))
			return slot->number - 1;
	}
	table->slots[at] = (struct table_slot){hash, ++table->nr};
	return table->nr - 1;
}

void table_free(struct table *table)
{
	free(table->slots);
	*table = (struct table){0};
}
