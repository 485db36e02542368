#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Libraries p0.so ... in the current directory: plugins.sh different|copies NUMBER. Function run() of
# number N allocates 1,000 + N bytes in plugin_N(); copies are all of number 0.
#
# Compiling takes minutes on a busy machine: one is compiled, and of it others are made with the size, the
# name of the function, which are as long, and the build-id changed in place.
set -e
cat >plugin.c <<'END'
#include <stdlib.h>
const volatile unsigned int bytes = 0x1badb002;
static __attribute__((noinline)) void *plugin_xxx(void)
{
	void *volatile object = malloc(bytes);
	return object;
}
void *run(void)
{
	void *volatile object = plugin_xxx();
	return object;
}
END
identity=5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
${CC:-gcc} -shared -fPIC -g0 -O1 -fno-inline -Wl,--build-id=0x$identity \
	-o plugin.so plugin.c
python3 - "$1" "$2" <<'END'
import sys

with open("plugin.so", "rb") as file:
    made = file.read()
assert made.count((0x1badb002).to_bytes(4, "little")) == 1 and made.count(bytes([0x5a]) * 20) == 1
for number in range(int(sys.argv[2])):
    own = number if sys.argv[1] == "different" else 0
    name = f"plugin_{own}".encode().ljust(len("plugin_xxx"), b"\0")
    changed = made.replace(b"plugin_xxx", name).replace((0x1badb002).to_bytes(4, "little"),
                                                        (1000 + own).to_bytes(4, "little"))
    with open(f"p{number}.so", "wb") as file:
        file.write(changed.replace(bytes([0x5a]) * 20, (own + 1).to_bytes(20, "big")))
END
