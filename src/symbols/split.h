/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * split.h - the other halves of compilation units: .dwo files, and .dwp files that gather them.
 *
 * With -gsplit-dwarf a program has of each unit a skeleton only, with its addresses and lines; its
 * functions are in a file of its own.
 */
#ifndef SYMBOLS_SPLIT_H
#define SYMBOLS_SPLIT_H

#include <elfutils/libdw.h>
#include <stdbool.h>

struct split;

/* Is this unit a skeleton? */
bool split_is_skeleton(Dwarf_Die *unit);
/*
 * The other half of SKELETON, looked for in PROGRAM's .dwp and in the .dwo file that it names; it
 * is the right one only if its number is the skeleton's. NULL if there is none.
 */
struct split *split_open(Dwarf_Die *skeleton, const char *program);
void split_close(struct split *split);
/* The unit, and what its lists of ranges are relative to. */
Dwarf_Die *split_unit(struct split *split, Dwarf_Addr *ret_base);

#endif
