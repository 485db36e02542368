#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# test_apply.sh APPLY - linux/apply refuses, in one line, what is not Linux 6.12 with a depot.
set -u

apply=$1
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

refuses() {
	message=$("$apply" "$tree" 2>&1)
	status=$?
	if [ $status -ne 1 ] || [ "$(echo "$message" | wc -l)" -ne 1 ]; then
		echo "status $status: $message"
		failed=1
	fi
	case $message in
	"linux/apply: $1"*) ;;
	*)
		echo "expected '$1', got '$message'"
		failed=1
		;;
	esac
	left=$(find "$tree" -name .stackdepot)
	[ -z "$left" ] || failed=1
}

refuses "$tree is not a Linux source tree"
mkdir -p "$tree/lib"
: > "$tree/lib/Kconfig"
printf 'VERSION = 6\nPATCHLEVEL = 11\nSUBLEVEL = 2\n' > "$tree/Makefile"
refuses "$tree is Linux 6.11, this depot is for 6.12"
printf 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 2\n' > "$tree/Makefile"
refuses "$tree has no lib/stackdepot.c"
exit $failed
