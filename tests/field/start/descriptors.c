/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: standard input and error are closed; the first files opened get their numbers
 * run: descriptors <&- 2>&-
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	free(malloc(10));
	printf("%d %d %d\n", open("/dev/null", O_RDONLY), open("/dev/null", O_RDONLY),
	       open("/dev/null", O_RDONLY));
	return 0;
}
