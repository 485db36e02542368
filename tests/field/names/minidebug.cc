/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: .gnu_debugdata, as Fedora has it: names without lines
 * build: $CXX -g -O2 -o minidebug $SRC/minidebug.cc
 * build: strip --strip-debug -o mini minidebug
 * build: strip minidebug
 * build: xz mini
 * build: objcopy --add-section=.gnu_debugdata=mini.xz minidebug
 * needs: binutils xz-utils
 * modes: full
 * expect: errors 0
 * expect: says ^    outer\(int\)  in minidebug$
 */
#include "inlined.h"
