#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# field: ulimit -f 0 in a build's shell, and programs started under it
# expect: not not recorded
( ulimit -f 0; /bin/echo one; sh -c '/bin/echo two; exit 3' ); echo $?
