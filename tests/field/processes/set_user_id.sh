#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# field: a set-user-ID program, into which the loader preloads nothing
# build: $CC -g -O1 -o other_user $SRC/leaky.c; chown 65534 other_user; chmod 4755 other_user; install -m 755 $SRC/set_user_id.sh .
# run: ./set_user_id.sh
# needs: root
# expect: unrecorded 1 x .*other_user \(set-user-ID
other_user 1; echo $?
