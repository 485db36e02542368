/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stacks.c - sums by id. */
#include <stdlib.h>

#include "base/memory.h"
#include "stacks.h"

static bool stacks_same(const void *owner, size_t number, const void *key)
{
	const struct stacks *stacks = owner;
	const struct fleet_id *id = key;

	return stacks->list[number].id.high == id->high && stacks->list[number].id.low == id->low;
}

static struct stacks_one *stacks_find(struct stacks *stacks, struct fleet_id id)
{
	const size_t known = stacks->table.nr;
	const size_t number = table_number(&stacks->table, id.low, stacks_same, stacks, &id);

	if (number == known) {
		stacks->list =
			memory_room(stacks->list, known, &stacks->room, sizeof(*stacks->list));
		stacks->list[number] = (struct stacks_one){.id = id};
		stacks->nr = known + 1;
	}
	return &stacks->list[number];
}

void stacks_add(struct stacks *stacks, struct fleet_id id, enum stacks_part part,
		const struct profile_sums *sums)
{
	struct stacks_one *one;
	struct profile_sums held = *sums;

	if (part == STACKS_LEFT && sums->objects <= 0)
		return;
	one = stacks_find(stacks, id);
	held.allocs = held.alloc_bytes = 0;
	profile_sums_add(part == STACKS_LIVE ? &one->live : &one->left, &held);
	if (part == STACKS_LEFT)
		return;
	one->live.allocs += sums->allocs;
	one->live.alloc_bytes += sums->alloc_bytes;
}

void stacks_free(struct stacks *stacks)
{
	table_free(&stacks->table);
	free(stacks->list);
	*stacks = (struct stacks){0};
}
