#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# field: processes of a container, whose numbers are those of no process outside
# build: $CC -g -O1 -o keep $SRC/keep.c; install -m 755 $SRC/name_space.sh .
# run: ./name_space.sh
# needs: root
# modes: full
# maps: 150
# expect: leak keep 20000000 200000
exec unshare -fp --mount-proc sh -c 'echo 300000 >/proc/sys/kernel/ns_last_pid; keep 200000 3; exit 5'
