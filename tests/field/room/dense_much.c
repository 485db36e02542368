/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: as dense, with more objects than the table has room for: an estimate, and said to be one
 * build: $CC -g -O1 -o dense_much $SRC/dense_much.c -ljemalloc
 * needs: libjemalloc-dev
 * run: dense_much 1200000 8
 * modes: full
 * expect: estimated
 */
#include "dense.c"
