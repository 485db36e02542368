/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a child without standard descriptors writes to them all the same, and into no file of ours
 * build: $CC -g -O0 -o write_after_close $SRC/write_after_close.c
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int status, failed = 0, fd;

	if (!fork()) {
		for (fd = 0; fd < 20; fd++)
			close(fd);
		free(malloc(100));
		for (fd = 0; fd < 20; fd++)
			failed += write(fd, "garbage", 7) == -1 && errno == EBADF;
		_exit(failed);
	}
	wait(&status);
	printf("%d\n", WEXITSTATUS(status));
	return 0;
}
