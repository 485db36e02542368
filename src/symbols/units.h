/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * units.h - which compilation unit has an address, and what it says of it.
 *
 * elfutils reads that from .debug_aranges alone, which clang does not write and which for some
 * units says nothing: then it takes the unit before. So the units are asked themselves, once for
 * each module. An address that is in none has no line.
 */
#ifndef SYMBOLS_UNITS_H
#define SYMBOLS_UNITS_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>

struct unit;
struct units;

/* Read their ranges. PROGRAM is the file whose .dwp is looked at. */
struct units *units_open(Dwfl_Module *module, const char *program);
void units_close(struct units *units);
/* The unit that has this address, or NULL; *RET_ADDRESS is the address in the file. */
struct unit *units_find(struct units *units, Dwarf_Addr address, Dwarf_Addr *ret_address);
/* Were other halves of units looked for and not found? */
bool units_miss_halves(const struct units *units);

/* The entry that has its directory, lines and files: a skeleton's, of a split unit. */
Dwarf_Die *unit_die(struct unit *unit);
/* As functions_at(). */
Dwarf_Die *unit_functions_at(struct units *units, struct unit *unit, Dwarf_Addr address,
			     size_t *ret_nr);

#endif
