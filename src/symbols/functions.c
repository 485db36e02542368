/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* functions.c - the functions of a compilation unit, and what is inlined at an address. */
#include <dwarf.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/search.h"
#include "symbols/functions.h"

#define MAX_DEPTH 256u /* of nested entries; a file may be damaged */

struct function {
	struct functions_range range;
	Dwarf_Addr reach; /* the highest end so far */
	Dwarf_Off die;
	size_t number;
};

struct functions {
	Dwarf *dwarf;
	Dwarf_Addr base;
	struct function *list; /* a range each, in the order of their starts */
	size_t nr;
	size_t room;
	Dwarf_Die *chain; /* what functions_at() found */
	size_t chain_nr;
	size_t chain_room;
};

bool functions_ranges(Dwarf_Die *die, Dwarf_Addr base, struct functions_position *at,
		      struct functions_range *ret_range)
{
	Dwarf_Addr start, end;
	Dwarf_Attribute list;

	at->next = dwarf_ranges(die, at->next, &at->from, &start, &end);
	if (at->next <= 0)
		return false;
	/* Nothing in the list itself said from where it counts. */
	if (base && !at->from && dwarf_attr(die, DW_AT_ranges, &list)) {
		start += base;
		end += base;
	}
	*ret_range = (struct functions_range){start, end};
	return true;
}

/* --- entries in entries ----------------------------------------------------------------------- */

struct functions_walk {
	unsigned int depth;
	Dwarf_Off last; /* the furthest entry that was met */
};

/*
 * The next entry in PARENT; DIE is the one before, empty to begin. A damaged file may lead back to
 * where one was, or from each entry to what is inside of it, which would be walked again for each
 * entry around it: so none is met twice in a walk, however deep.
 */
static bool functions_next(struct functions_walk *walk, Dwarf_Die *parent, Dwarf_Die *die)
{
	if (walk->depth > MAX_DEPTH ||
	    (die->addr ? dwarf_siblingof(die, die) : dwarf_child(parent, die)) ||
	    dwarf_dieoffset(die) <= walk->last)
		return false;
	walk->last = dwarf_dieoffset(die);
	return true;
}

/* --- reading ---------------------------------------------------------------------------------- */

static void functions_add(struct functions *functions, Dwarf_Die *die)
{
	struct functions_range range;
	struct functions_position at = {0, 0};

	while (functions_ranges(die, functions->base, &at, &range)) {
		if (range.start >= range.end)
			continue;
		functions->list = memory_room(functions->list, functions->nr, &functions->room,
					      sizeof(*functions->list));
		functions->list[functions->nr] = (struct function){
			.range = range, .die = dwarf_dieoffset(die), .number = functions->nr};
		functions->nr++;
	}
}

/* May functions be found in it? They nest in each other, in classes, in name spaces. */
static bool functions_may_hold(int tag)
{
	switch (tag) {
	case DW_TAG_class_type:
	case DW_TAG_common_block:
	case DW_TAG_enumeration_type:
	case DW_TAG_interface_type:
	case DW_TAG_lexical_block:
	case DW_TAG_module:
	case DW_TAG_namespace:
	case DW_TAG_structure_type:
	case DW_TAG_subprogram:
	case DW_TAG_union_type:
	case DW_TAG_variant:
	case DW_TAG_variant_part:
		return true;
	default:
		return false;
	}
}

static void functions_walk(struct functions *functions, Dwarf_Die *parent,
			   struct functions_walk *walk)
{
	Dwarf_Die die = {.addr = NULL};

	while (functions_next(walk, parent, &die)) {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram)
			functions_add(functions, &die);
		if (!functions_may_hold(tag))
			continue;
		walk->depth++;
		functions_walk(functions, &die, walk);
		walk->depth--;
	}
}

static int functions_compare(const void *a, const void *b)
{
	const struct function *left = a, *right = b;

	if (left->range.start != right->range.start)
		return left->range.start < right->range.start ? -1 : 1;
	if (left->range.end != right->range.end)
		return left->range.end > right->range.end ? -1 : 1;
	return left->number > right->number ? -1 : left->number < right->number;
}

struct functions *functions_open(const Dwarf_Die *unit, Dwarf_Addr base)
{
	struct functions *functions = memory_alloc(sizeof(*functions));
	struct functions_walk walk = {.depth = 0};
	Dwarf_Die die = *unit;
	Dwarf_Addr reach = 0;
	size_t i;

	functions->dwarf = dwarf_cu_getdwarf(die.cu);
	functions->base = base;
	functions_walk(functions, &die, &walk);
	if (functions->nr)
		qsort(functions->list, functions->nr, sizeof(*functions->list), functions_compare);
	for (i = 0; i < functions->nr; i++) {
		if (functions->list[i].range.end > reach)
			reach = functions->list[i].range.end;
		functions->list[i].reach = reach;
	}
	return functions;
}

void functions_close(struct functions *functions)
{
	if (!functions)
		return;
	free(functions->list);
	free(functions->chain);
	free(functions);
}

size_t functions_nr(const struct functions *functions)
{
	return functions->nr;
}

struct functions_range functions_range(const struct functions *functions, size_t number)
{
	return functions->list[number].range;
}

/* --- one address ------------------------------------------------------------------------------ */

/* The one that begins last of those that have the address, which is the innermost of nested ones.
 */
static const struct function *functions_find(const struct functions *functions, Dwarf_Addr address)
{
	size_t low = search_up_to(functions->list, functions->nr, range.start, address);

	for (; low && functions->list[low - 1].reach > address; low--)
		if (functions->list[low - 1].range.end > address)
			return &functions->list[low - 1];
	return NULL;
}

static bool functions_has(const struct functions *functions, Dwarf_Die *die, Dwarf_Addr address)
{
	struct functions_range range;
	struct functions_position at = {0, 0};

	while (functions_ranges(die, functions->base, &at, &range))
		if (address >= range.start && address < range.end)
			return true;
	return false;
}

static void functions_push(struct functions *functions, const Dwarf_Die *die)
{
	functions->chain = memory_room(functions->chain, functions->chain_nr,
				       &functions->chain_room, sizeof(*functions->chain));
	functions->chain[functions->chain_nr++] = *die;
}

/* What is inlined into PARENT at the address, outermost first. Blocks without addresses may hold
 * some all the same. */
static void functions_inlined(struct functions *functions, Dwarf_Die *parent, Dwarf_Addr address,
			      struct functions_walk *walk)
{
	size_t before = functions->chain_nr;
	Dwarf_Die die = {.addr = NULL};

	while (functions_next(walk, parent, &die)) {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_inlined_subroutine && functions_has(functions, &die, address))
			functions_push(functions, &die);
		else if (tag != DW_TAG_lexical_block)
			continue;
		walk->depth++;
		functions_inlined(functions, &die, address, walk);
		walk->depth--;
		if (functions->chain_nr > before)
			return;
	}
}

Dwarf_Die *functions_at(struct functions *functions, Dwarf_Addr address, size_t *ret_nr)
{
	const struct function *function = functions_find(functions, address);
	struct functions_walk walk = {.depth = 0};
	size_t i, nr;
	Dwarf_Die die;

	functions->chain_nr = 0;
	if (function && dwarf_offdie(functions->dwarf, function->die, &die)) {
		functions_push(functions, &die);
		functions_inlined(functions, &die, address, &walk);
	}
	nr = functions->chain_nr;
	for (i = 0; i < nr / 2; i++) {
		die = functions->chain[i];
		functions->chain[i] = functions->chain[nr - 1 - i];
		functions->chain[nr - 1 - i] = die;
	}
	*ret_nr = nr;
	return functions->chain;
}
