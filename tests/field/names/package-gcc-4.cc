/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a .dwp file of DWARF 4, by binutils, the .dwo files gone
 * build: $CXX -g -O2 -gdwarf-4 -gsplit-dwarf -o package-gcc-4 $SRC/package-gcc-4.cc
 * build: dwp -e package-gcc-4 -o package-gcc-4.dwp
 * build: rm *.dwo
 * needs: binutils
 * modes: full
 * expect: errors 0
 * expect: says ^    deepest(\(int\))?  .*inlined\.h:10 \(inlined\)$
 * expect: says ^    (void\* )?middle<int>(\(int\))?  .*inlined\.h:15 \(inlined\)$
 * expect: says ^    .*operator\(\).*  .*inlined\.h:20 \(inlined\)$
 * expect: says ^    outer\(int\)  .*inlined\.h:22$
 */
#include "inlined.h"
