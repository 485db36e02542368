#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# field: ulimit -d leaves a program little
# expect: says not recorded: its data is limited
( ulimit -d 8000; exec awk 'BEGIN { for (i = 0; i < 10000; i++) a[i] = i; print length(a) }' ); echo $?
