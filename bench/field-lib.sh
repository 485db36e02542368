# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# What the scripts in bench/field-programs share.

# until COMMAND ... - repeat it, silently, until it succeeds, at most a minute.
until_done() {
	tries=0
	while [ $tries -lt 300 ]; do
		"$@" >/dev/null 2>&1 && return
		tries=$((tries + 1))
		sleep 0.2
	done
	echo "no success: $*" >&2
	exit 99
}

# until_port PORT - wait until somebody listens there.
until_port() {
	until_done bash -c ": </dev/tcp/127.0.0.1/$1"
}

# stop PID [SIGNAL] - end a server that this script started, and say how it ended.
stop() {
	kill "-${2:-TERM}" "$1"
	wait "$1" 2>/dev/null
	echo "server ended with $?"
}
