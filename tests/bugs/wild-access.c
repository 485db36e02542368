/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A write far behind a large object, where nothing is mapped. */
#include <sys/mman.h>

#include "bug.h"

static bug_function void write_far(volatile char *object)
{
	object[0] = 1;
}

int main(void)
{
	char *hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)hidden(allocate(100));
	write_far(hole);
	return 0;
}
