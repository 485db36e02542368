/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a .dwp file of DWARF 5, the .dwo files gone
 * build: clang++ -g -O2 -gdwarf-5 -gsplit-dwarf -o package-clang-5 $SRC/package-clang-5.cc
 * build: llvm-dwp -e package-clang-5 -o package-clang-5.dwp
 * build: rm *.dwo
 * needs: clang llvm
 * modes: full
 * expect: errors 0
 * expect: says ^    deepest(\(int\))?  .*inlined\.h:10 \(inlined\)$
 * expect: says ^    (void\* )?middle<int>(\(int\))?  .*inlined\.h:15 \(inlined\)$
 * expect: says ^    .*operator\(\).*  .*inlined\.h:20 \(inlined\)$
 * expect: says ^    outer\(int\)  .*inlined\.h:22$
 */
#include "inlined.h"
