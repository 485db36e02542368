/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: as deepbind; the library's functions are looked for when they are called
 * build: $CC -g -shared -fPIC -DLIBRARY -o deepbind_lazy.so $SRC/deepbind_lazy.c
 * build: $CC -g -O1 -o deepbind_lazy $SRC/deepbind_lazy.c
 * run: deepbind_lazy $BIN/deepbind_lazy.so
 * expect: errors 0
 * expect: leak at_load 330 3
 * expect: leak in_library 70 1
 * expect: not DOUBT
 */
#define HOW RTLD_LAZY
#include "deepbind.c"
