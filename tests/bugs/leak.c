/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Three objects from one place are never freed. */
#include "bug.h"

static bug_function void lose(void)
{
	(void)hidden(allocate(1000));
}

int main(void)
{
	lose();
	lose();
	lose();
	free(allocate(50));
	return 7;
}
