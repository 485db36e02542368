/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* units.c - the ranges of all units, sorted. */
#include <stdlib.h>

#include "base/memory.h"
#include "units.h"

struct units_range {
	Dwarf_Addr start; /* in the file */
	Dwarf_Addr end;
	size_t unit;
};

struct units {
	Dwarf_Addr bias;
	Dwarf_Die *dies;
	size_t nr_dies;
	size_t dies_room;
	struct units_range *ranges; /* by start; one unit's lie in no other's */
	size_t nr_ranges;
	size_t ranges_room;
};

static void units_add_ranges(struct units *units, Dwarf_Die *die)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &start, &end)) > 0) {
		units->ranges = memory_room(units->ranges, units->nr_ranges, &units->ranges_room,
					 sizeof(*units->ranges));
		units->ranges[units->nr_ranges++] =
			(struct units_range){start, end, units->nr_dies};
	}
}

static int units_compare(const void *a, const void *b)
{
	const struct units_range *left = a, *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	return left->end < right->end ? -1 : left->end > right->end;
}

struct units *units_open(Dwfl_Module *module)
{
	struct units *units = memory_alloc(sizeof(*units));
	Dwarf_Die *die = NULL;

	while ((die = dwfl_module_nextcu(module, die, &units->bias))) {
		units_add_ranges(units, die);
		units->dies = memory_room(units->dies, units->nr_dies, &units->dies_room,
				       sizeof(*units->dies));
		units->dies[units->nr_dies++] = *die;
	}
	if (units->nr_ranges)
		qsort(units->ranges, units->nr_ranges, sizeof(*units->ranges), units_compare);
	return units;
}

void units_close(struct units *units)
{
	if (!units)
		return;
	free(units->dies);
	free(units->ranges);
	free(units);
}

/* The last one that begins at the address or before. */
Dwarf_Die *units_find(struct units *units, Dwarf_Addr address, Dwarf_Addr *ret_bias)
{
	const Dwarf_Addr wanted = address - units->bias;
	size_t low = 0, high = units->nr_ranges;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (units->ranges[middle].start <= wanted)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || wanted >= units->ranges[low - 1].end)
		return NULL;
	*ret_bias = units->bias;
	return &units->dies[units->ranges[low - 1].unit];
}
