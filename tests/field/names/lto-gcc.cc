/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: inlined frames whose origins lie in other units: gcc -flto
 * build: $CXX -g -O2 -flto -o lto-gcc $SRC/lto-gcc.cc
 * modes: full
 * expect: errors 0
 * expect: says ^    deepest(\(int\))?  .*inlined\.h:10 \(inlined\)$
 * expect: says ^    (void\* )?middle<int>(\(int\))?  .*inlined\.h:15 \(inlined\)$
 * expect: says ^    .*operator\(\).*  .*inlined\.h:20 \(inlined\)$
 * expect: says ^    outer\(int\)  .*inlined\.h:22$
 */
#include "inlined.h"
