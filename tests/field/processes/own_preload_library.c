/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Says that it is there. */
#include <stdio.h>
#include <unistd.h>

static __attribute__((constructor)) void begin(void)
{
	(void)!write(1, "own library\n", 12);
}
