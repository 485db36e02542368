/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* plugin: its constructor leaks, inside of dlopen(). */
#include <stdlib.h>

static void *volatile kept;

static __attribute__((noinline, noipa, constructor)) void leak_in_dlopen(void)
{
	kept = malloc(321);
}
