#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Libraries p0.so ... in the current directory: plugins.sh different|copies NUMBER. Function run() of
# number N allocates 1,000 + N bytes in plugin_N(); copies are all of number 0.
set -e
source() {
	cat <<END
#include <stdlib.h>
void *plugin_$1(void)
{
	void *volatile object = malloc(1000 + $1);
	return object;
}
void *run(void)
{
	void *volatile object = plugin_$1();
	return object;
}
END
}
number=0
while [ $number -lt "$2" ]; do
	if [ $number = 0 ] || [ "$1" = different ]; then
		source $number >plugin.c
		${CC:-gcc} -shared -fPIC -g0 -O1 -fno-inline -Wl,--build-id -o p$number.so plugin.c
	else
		cp p0.so p$number.so
	fi
	number=$((number + 1))
done
