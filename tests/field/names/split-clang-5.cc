/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: -gsplit-dwarf of clang, DWARF 5, compressed
 * build: clang++ -g -O2 -gdwarf-5 -gsplit-dwarf -gz -o split-clang-5 $SRC/split-clang-5.cc
 * needs: clang
 * modes: full
 * expect: errors 0
 * expect: says ^    deepest(\(int\))?  .*inlined\.h:10 \(inlined\)$
 * expect: says ^    (void\* )?middle<int>(\(int\))?  .*inlined\.h:15 \(inlined\)$
 * expect: says ^    .*operator\(\).*  .*inlined\.h:20 \(inlined\)$
 * expect: says ^    outer\(int\)  .*inlined\.h:22$
 */
#include "inlined.h"
