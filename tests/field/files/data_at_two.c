/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a daemon's data file has descriptor 2; its child of another user keeps its store, and a
 * field: program that it starts with a limit is not recorded, which is not said there
 * build: $CC -g -O0 -o data_at_two $SRC/data_at_two.c
 * needs: root
 * expect: leak child 4322 1
 * expect: says not recorded: its address space is limited
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static __attribute__((noinline)) void child(void)
{
	void *volatile kept = malloc(4322);

	(void)kept;
}

/* With too little room for a recorder. */
static void starts(char *const *argv)
{
	const struct rlimit small = {256ul << 20, 256ul << 20};

	setrlimit(RLIMIT_AS, &small);
	execl("/proc/self/exe", argv[0], "again", NULL);
	_exit(127);
}

int main(int argc, char **argv)
{
	int data, status, other;

	if (argc > 1)
		return write(2, "answer\n", 7) == 7 ? 3 : 4;
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
	if (!fork())
		starts(argv);
	wait(&other);
	if (write(data, "trailer\n", 8) != 8)
		return 1;
	return data * 10 + WEXITSTATUS(status) + WEXITSTATUS(other);
}
