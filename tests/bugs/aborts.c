/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The program gives up. */
#include "bug.h"

static bug_function void give_up(void)
{
	abort();
}

int main(void)
{
	give_up();
	return 0;
}
