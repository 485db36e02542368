/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: -gsplit-dwarf of gcc, DWARF 4
 * build: $CXX -g -O2 -gdwarf-4 -gsplit-dwarf -o split-gcc-4 $SRC/split-gcc-4.cc
 * modes: full
 * expect: errors 0
 * expect: says ^    deepest(\(int\))?  .*inlined\.h:10 \(inlined\)$
 * expect: says ^    (void\* )?middle<int>(\(int\))?  .*inlined\.h:15 \(inlined\)$
 * expect: says ^    .*operator\(\).*  .*inlined\.h:20 \(inlined\)$
 * expect: says ^    outer\(int\)  .*inlined\.h:22$
 */
#include "inlined.h"
