/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a file without build-id that is still the one that was mapped
 * build: $CXX -g -O2 -Wl,--build-id=none -o unchanged $SRC/unchanged.cc
 * modes: full
 * expect: errors 0
 * expect: says ^    outer\(int\)  .*inlined\.h:22$
 * expect: not changed since
 */
#include "inlined.h"
