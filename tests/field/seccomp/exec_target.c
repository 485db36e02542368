/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What a sandbox starts. */
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
	void *volatile block = malloc(100);

	free(block);
	return write(1, "started\n", 8) == 8 ? 5 : 6;
}
