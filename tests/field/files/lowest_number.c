/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: the next descriptor is the lowest free one, at start and in a child
 * build: $CC -g -O0 -o lowest_number $SRC/lowest_number.c
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int next(void)
{
	int fd = open("/dev/null", O_RDONLY);

	close(fd);
	return fd;
}

int main(void)
{
	int first = next(), status;

	if (!fork()) {
		close(0);
		close(1);
		free(malloc(100));
		_exit(next() * 16 + dup(2));
	}
	wait(&status);
	printf("%d, child %d\n", first, WEXITSTATUS(status));
	return 0;
}
