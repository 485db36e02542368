/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a file without build-id is replaced after the run by another of its size
 * build: $CXX -g -O2 -Wl,--build-id=none -o original $SRC/changed.cc
 * run: cp "$BIN/original" changed && ./changed && cp changed other && mv other changed
 * modes: full
 * expect: errors 0
 * expect: says ^    changed \(changed since\)\+0x[0-9a-f]+$
 * expect: not outer\(int\)
 */
#include "inlined.h"
