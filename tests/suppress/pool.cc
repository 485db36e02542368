/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* pool: libstdc++ has its pool before main(); so has this program a leak, through libstdc++. */
#include <string>
#include <unistd.h>

static std::string *volatile kept;

static __attribute__((noinline, constructor)) void leak_before_main()
{
	kept = new std::string(1234, 'x');
}

int main()
{
	_exit(0);
}
