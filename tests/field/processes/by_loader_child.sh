#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# field: the loader started as a child, with another name for the program
# build: $CC -g -O1 -o leaky $SRC/leaky.c; install -m 755 $SRC/by_loader_child.sh .
# run: ./by_loader_child.sh
# expect: leak leak_here 100000 100
/lib64/ld-linux-x86-64.so.2 --argv0 other "$(command -v leaky)" 1 2; echo $?
