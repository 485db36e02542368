/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: units that .debug_aranges does not have, as clang writes none
 * build: clang++ -g -O2 -o clang-plain $SRC/clang-plain.cc
 * needs: clang
 * modes: full
 * expect: errors 0
 * expect: says ^    deepest(\(int\))?  .*inlined\.h:10 \(inlined\)$
 * expect: says ^    (void\* )?middle<int>(\(int\))?  .*inlined\.h:15 \(inlined\)$
 * expect: says ^    .*operator\(\).*  .*inlined\.h:20 \(inlined\)$
 * expect: says ^    outer\(int\)  .*inlined\.h:22$
 */
#include "inlined.h"
