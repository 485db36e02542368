/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a stripped program that exports one function: no address after it is called by its name
 * build: $CXX -g -O2 -rdynamic -fvisibility=hidden -s -o stripped $SRC/stripped.cc
 * modes: full
 * expect: errors 0
 * expect: says ^    stripped\+0x[0-9a-f]+$
 * expect: not exported_function
 */
extern "C" __attribute__((visibility("default"), used)) void exported_function(void)
{
}
#include "inlined.h"
