#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# run.sh SOURCE WORK STACKDEPOT PROGRAM TEST [AGENT [SERVE BUGS]] - fetch what the tests take into WORK, and run TEST;
# PROGRAM is what it records, SERVE a server with a fleet of BUGS and PROGRAM.
set -eu
source=$(realpath "$1") work=$2 tool=$3 program=$4 test=$5 agent=${6-} serve=${7-} bugs=${8-}

mkdir -p "$work"
work=$(realpath "$work")
if ! command -v chromium >/dev/null; then
	echo "chromium is missing; on Debian: apt-get install chromium"
	exit 1
fi
if [ -n "$serve" ] && ! PATH=$PATH:/usr/sbin command -v clickhouse-server >/dev/null; then
	echo "skipped: needs clickhouse-server"
	exit 77
fi
cp "$source/package.json" "$source/package-lock.json" "$source/page.mjs" "$source"/*.test.mjs "$work"
cd "$work"
if ! cmp -s package-lock.json node_modules/installed.json; then
	npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=1
	cp package-lock.json node_modules/installed.json
fi
STACKDEPOT=$tool FOREST=$program AGENT=$agent SERVE=$serve BUGS=$bugs exec node --test "$test"
