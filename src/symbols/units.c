/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* units.c - the ranges of all units, sorted; each read further when something in it is asked for.
 */
#include <dwarf.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/search.h"
#include "symbols/functions.h"
#include "symbols/split.h"
#include "symbols/units.h"

#define MAX_SEGMENTS 64u

struct unit {
	Dwarf_Die die;
	struct split *split; /* NULL: not split, or its other half is not there */
	struct functions *functions;
};

struct units_range {
	struct functions_range range; /* in the file */
	Dwarf_Addr reach;	      /* the highest end so far */
	size_t unit;
};

struct units {
	const char *program;
	Dwarf_Addr bias;
	struct unit *list;
	size_t nr;
	size_t room;
	struct units_range *ranges; /* by start */
	size_t nr_ranges;
	size_t ranges_room;
	struct functions_range segments[MAX_SEGMENTS]; /* that can be executed */
	size_t nr_segments;
	bool miss_halves;
};

/* --- reading ---------------------------------------------------------------------------------- */

static void units_read_segments(struct units *units, Dwarf *dwarf)
{
	Elf *elf = dwarf_getelf(dwarf);
	GElf_Phdr header;
	size_t nr = 0, i;

	(void)elf_getphdrnum(elf, &nr);
	for (i = 0; i < nr && units->nr_segments < MAX_SEGMENTS; i++)
		if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_LOAD &&
		    (header.p_flags & PF_X))
			units->segments[units->nr_segments++] = (struct functions_range){
				header.p_vaddr, header.p_vaddr + header.p_memsz};
}

/* A linker leaves ranges of what it threw away, beginning at 0 or 1; they may reach into the code.
 */
static bool units_is_code(const struct units *units, const struct functions_range *range)
{
	size_t i;

	for (i = 0; i < units->nr_segments; i++)
		if (range->start >= units->segments[i].start &&
		    range->start < units->segments[i].end)
			return range->end > range->start;
	return false;
}

static void units_add(struct units *units, struct functions_range range)
{
	if (!units_is_code(units, &range))
		return;
	units->ranges = memory_room(units->ranges, units->nr_ranges, &units->ranges_room,
				    sizeof(*units->ranges));
	units->ranges[units->nr_ranges++] = (struct units_range){.range = range, .unit = units->nr};
}

/* Sequences of the line table. */
static void units_add_lines(struct units *units, Dwarf_Die *die)
{
	Dwarf_Addr start = 0, address;
	Dwarf_Lines *lines;
	size_t nr, i;
	bool begun = false, ends;

	if (dwarf_getsrclines(die, &lines, &nr))
		return;
	for (i = 0; i < nr; i++) {
		Dwarf_Line *line = dwarf_onesrcline(lines, i);

		if (dwarf_lineaddr(line, &address) || dwarf_lineendsequence(line, &ends))
			continue;
		if (!begun)
			start = address;
		begun = !ends;
		if (ends)
			units_add(units, (struct functions_range){start, address});
	}
}

static struct functions *unit_functions(struct units *units, struct unit *unit)
{
	Dwarf_Die *die = &unit->die;
	Dwarf_Addr base = 0;

	if (unit->functions)
		return unit->functions;
	if (split_is_skeleton(die)) {
		unit->split = split_open(die, units->program);
		units->miss_halves |= !unit->split;
		die = unit->split ? split_unit(unit->split, &base) : die;
	}
	unit->functions = functions_open(die, base);
	return unit->functions;
}

/* A unit that does not say where its code is: its functions do, or its lines. */
static void units_add_silent(struct units *units, struct unit *unit)
{
	struct functions *functions = unit_functions(units, unit);
	size_t i;

	for (i = 0; i < functions_nr(functions); i++)
		units_add(units, functions_range(functions, i));
	if (!functions_nr(functions))
		units_add_lines(units, &unit->die);
}

static void units_read(struct units *units, Dwarf_Die *die)
{
	struct functions_range range;
	struct functions_position at = {0, 0};
	bool any = false;

	units->list = memory_room(units->list, units->nr, &units->room, sizeof(*units->list));
	units->list[units->nr] = (struct unit){.die = *die};
	while (functions_ranges(die, 0, &at, &range)) {
		any |= range.end > range.start;
		units_add(units, range);
	}
	if (!any)
		units_add_silent(units, &units->list[units->nr]);
	units->nr++;
}

static int units_compare(const void *a, const void *b)
{
	const struct units_range *left = a, *right = b;

	if (left->range.start != right->range.start)
		return left->range.start < right->range.start ? -1 : 1;
	if (left->range.end != right->range.end)
		return left->range.end > right->range.end ? -1 : 1;
	return left->unit > right->unit ? -1 : left->unit < right->unit;
}

static void units_sort(struct units *units)
{
	Dwarf_Addr reach = 0;
	size_t i;

	if (units->nr_ranges)
		qsort(units->ranges, units->nr_ranges, sizeof(*units->ranges), units_compare);
	for (i = 0; i < units->nr_ranges; i++) {
		if (units->ranges[i].range.end > reach)
			reach = units->ranges[i].range.end;
		units->ranges[i].reach = reach;
	}
}

struct units *units_open(Dwfl_Module *module, const char *program)
{
	struct units *units = memory_alloc(sizeof(*units));
	Dwarf *dwarf = dwfl_module_getdwarf(module, &units->bias);
	Dwarf_CU *cu = NULL;
	uint8_t type;
	Dwarf_Die die;

	units->program = program;
	if (!dwarf)
		return units;
	units_read_segments(units, dwarf);
	while (!dwarf_get_units(dwarf, cu, &cu, NULL, &type, &die, NULL))
		if (type != DW_UT_partial && type != DW_UT_type && type != DW_UT_split_type)
			units_read(units, &die);
	units_sort(units);
	return units;
}

void units_close(struct units *units)
{
	size_t i;

	if (!units)
		return;
	for (i = 0; i < units->nr; i++) {
		functions_close(units->list[i].functions);
		split_close(units->list[i].split);
	}
	free(units->list);
	free(units->ranges);
	free(units);
}

/* --- one address ------------------------------------------------------------------------------ */

/* The range that begins last of those that have the address, and is the shortest of these. */
struct unit *units_find(struct units *units, Dwarf_Addr address, Dwarf_Addr *ret_address)
{
	const Dwarf_Addr wanted = address - units->bias;
	size_t low = search_up_to(units->ranges, units->nr_ranges, range.start, wanted);

	for (; low && units->ranges[low - 1].reach > wanted; low--) {
		if (units->ranges[low - 1].range.end <= wanted)
			continue;
		*ret_address = wanted;
		return &units->list[units->ranges[low - 1].unit];
	}
	return NULL;
}

bool units_miss_halves(const struct units *units)
{
	return units->miss_halves;
}

Dwarf_Die *unit_die(struct unit *unit)
{
	return &unit->die;
}

Dwarf_Die *unit_functions_at(struct units *units, struct unit *unit, Dwarf_Addr address,
			     size_t *ret_nr)
{
	return functions_at(unit_functions(units, unit), address, ret_nr);
}
