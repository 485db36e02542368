/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * units.h - which compilation unit an address belongs to.
 *
 * elfutils reads that from .debug_aranges alone, which clang does not write; so the units are asked
 * themselves, once for each module.
 */
#ifndef SYMBOLS_UNITS_H
#define SYMBOLS_UNITS_H

#include <elfutils/libdwfl.h>

struct units;

/* Read them all. */
struct units *units_open(Dwfl_Module *module);
void units_close(struct units *units);
/* The unit that has this address, or NULL; *ret_bias is then what memory has more than the file. */
Dwarf_Die *units_find(struct units *units, Dwarf_Addr address, Dwarf_Addr *ret_bias);

#endif
