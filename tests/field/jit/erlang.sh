#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# field: binaries of erlang are explained by its functions, whose names its just-in-time compiler tells
# build: erlc $SRC/heap.erl; install -m 755 $SRC/erlang.sh erlang-heap
# run: erlang-heap
# needs: erlang-base
# modes: full
# slow: yes
# watch: no
# expect: errors 0
# expect: says \$heap:.*keeps_binaries.* \[jit\]
# expect: says by frame pointer
# Its own allocators take memory in large pieces; without them each binary is an object.
exec erl +JPperf true +Mea min -noshell -pa "$(dirname "$(command -v erlang-heap)")" -s heap start
