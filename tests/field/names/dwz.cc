/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: units that share what they have in common: partial units in a third file
 * build: $CXX -g -O2 -o dwz $SRC/dwz.cc
 * build: cp dwz other
 * build: dwz -m common dwz other
 * needs: dwz
 * modes: full
 * expect: errors 0
 * expect: says ^    deepest(\(int\))?  .*inlined\.h:10 \(inlined\)$
 * expect: says ^    (void\* )?middle<int>(\(int\))?  .*inlined\.h:15 \(inlined\)$
 * expect: says ^    .*operator\(\).*  .*inlined\.h:20 \(inlined\)$
 * expect: says ^    outer\(int\)  .*inlined\.h:22$
 */
#include "inlined.h"
