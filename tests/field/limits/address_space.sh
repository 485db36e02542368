#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# field: a judge gives a program 100 MB of addresses, of which it uses most
# build: $CC -g -O0 -o address_space_program $SRC/address_space_program.c; install -m 755 $SRC/address_space.sh .
# run: ./address_space.sh
# expect: says not recorded: its address space is limited
( ulimit -v 100000; address_space_program ); echo $?
