/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: started with standard input and error closed; the first file that is opened gets their numbers
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
