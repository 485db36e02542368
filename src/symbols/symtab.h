/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * symtab.h - the functions in the symbol tables of a module, sorted.
 *
 * elfutils looks through all symbols for each address that it is asked for, which for a compiler
 * with a hundred thousand of each takes longer than everything else of a report. Here they are read
 * once.
 */
#ifndef SYMBOLS_SYMTAB_H
#define SYMBOLS_SYMTAB_H

#include <elfutils/libdwfl.h>

struct symtab;

struct symtab *symtab_open(Dwfl_Module *module);
void symtab_close(struct symtab *symtab);
/* The name of the function that has this address in memory, as it is in the file; NULL: none. */
const char *symtab_find(const struct symtab *symtab, Dwarf_Addr address);

#endif
