#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# field: a program in a chroot, where the recorder's library is not
# build: $CC -g -O1 -o leaky $SRC/leaky.c; install -m 755 $SRC/chroot.sh .
# run: ./chroot.sh
# needs: root
# expect: unrecorded 1 x .*leaky \(the recorder's library
mkdir -p jail/lib64 jail/lib/x86_64-linux-gnu jail/usr
cp /lib64/ld-linux-x86-64.so.2 jail/lib64
cp /lib/x86_64-linux-gnu/libc.so.6 jail/lib/x86_64-linux-gnu
cp "$(command -v leaky)" jail
chroot jail /leaky 1; echo $?
rm -rf jail
