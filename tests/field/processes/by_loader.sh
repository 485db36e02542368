#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# field: a program started by way of the loader, as wrappers of bundled programs do
# build: $CC -g -O1 -o leaky $SRC/leaky.c; install -m 755 $SRC/by_loader.sh .
# run: ./by_loader.sh
# expect: leak leak_here 100000 100
# expect: not libstdc
cp "$(command -v leaky)" .
exec /lib64/ld-linux-x86-64.so.2 ./leaky
