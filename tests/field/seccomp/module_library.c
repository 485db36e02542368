/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A library whose size and time the recorder would like to know. */
#include <stdlib.h>

__attribute__((noinline)) void *plain_allocates(void)
{
	void *volatile block = malloc(20000); /* sampled, too */

	return block;
}
