/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * functions.h - the functions of a compilation unit, and what is inlined at an address.
 *
 * elfutils' dwarf_getscopes walks a whole unit for each address. Here a unit is walked once, and
 * of the function that has an address only what is nested in it.
 */
#ifndef SYMBOLS_FUNCTIONS_H
#define SYMBOLS_FUNCTIONS_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>

struct functions;

/* Addresses, in the file. */
struct functions_range {
	Dwarf_Addr start;
	Dwarf_Addr end;
};

/*
 * Those of UNIT. Lists of ranges that say not what they are relative to are so to BASE, if that is
 * not 0: in a split unit of DWARF 4 only the other half says it.
 */
struct functions *functions_open(const Dwarf_Die *unit, Dwarf_Addr base);
void functions_close(struct functions *functions);

/* All their ranges, in order. */
size_t functions_nr(const struct functions *functions);
struct functions_range functions_range(const struct functions *functions, size_t number);

/*
 * What has the address: inlined functions, innermost first, and last the function itself. Good
 * until the next call; *RET_NR is 0 if no function has it.
 */
Dwarf_Die *functions_at(struct functions *functions, Dwarf_Addr address, size_t *ret_nr);

/* The ranges of an entry, one after the other; AT is all zero to begin. False at the end. */
struct functions_position {
	ptrdiff_t next;
	Dwarf_Addr from; /* what those that come are relative to */
};
bool functions_ranges(Dwarf_Die *die, Dwarf_Addr base, struct functions_position *at,
		      struct functions_range *ret_range);

#endif
