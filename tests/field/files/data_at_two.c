/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a daemon's data file has descriptor 2, and its child of another user keeps its store
 * build: $CC -g -O0 -o data_at_two $SRC/data_at_two.c
 * needs: root
 * expect: leak child 4322 1
 * expect: not not recorded
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static __attribute__((noinline)) void child(void)
{
	void *volatile kept = malloc(4322);

	(void)kept;
}

int main(void)
{
	int data, status;

	close(0);
	close(1);
	close(2);
	open("/dev/null", O_RDWR);
	open("/dev/null", O_RDWR);
	data = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (write(data, "header\n", 7) != 7)
		return 1;
	if (!fork()) {
		if (setgid(65534) || setuid(65534))
			_exit(2);
		child();
		_exit(0);
	}
	wait(&status);
	if (write(data, "trailer\n", 8) != 8)
		return 1;
	return data * 10 + WEXITSTATUS(status);
}
