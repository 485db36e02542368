#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# field: started with 0, 1 and 2 closed, as cron and daemons do
# build: $CC -g -O0 -o lowest_number $SRC/lowest_number.c; install -m 755 $SRC/closed_at_start.sh .
# run: ./closed_at_start.sh
sh -c 'exec 3>numbers; echo x | cat >&3; ls -l /proc/self/fd | wc -l >&3' <&- >&- 2>&-
lowest_number <&- >&- 2>&-
echo $? >>numbers
