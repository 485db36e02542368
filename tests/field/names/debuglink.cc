/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: debugging information in a file of its own, by .gnu_debuglink
 * build: $CXX -g -O2 -o debuglink $SRC/debuglink.cc
 * build: objcopy --only-keep-debug debuglink other.debug
 * build: strip debuglink
 * build: objcopy --add-gnu-debuglink=other.debug debuglink
 * needs: binutils
 * modes: full
 * expect: errors 0
 * expect: says ^    deepest(\(int\))?  .*inlined\.h:10 \(inlined\)$
 * expect: says ^    (void\* )?middle<int>(\(int\))?  .*inlined\.h:15 \(inlined\)$
 * expect: says ^    .*operator\(\).*  .*inlined\.h:20 \(inlined\)$
 * expect: says ^    outer\(int\)  .*inlined\.h:22$
 */
#include "inlined.h"
