/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a parent reads its child's standard error as data, and that is not recorded
 * build: $CC -g -O0 -o message_and_pipe $SRC/message_and_pipe.c
 * expect: says not recorded: .*RLIMIT_AS
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const struct rlimit small = {256ul << 20, 256ul << 20};
	char bytes[256];
	ssize_t length, all = 0;
	int ends[2];

	if (argc > 1) {
		free(malloc(100));
		return write(2, "answer", 6) != 6;
	}
	if (pipe(ends))
		return 1;
	if (!fork()) {
		dup2(ends[1], 2);
		setrlimit(RLIMIT_AS, &small);
		execl("/proc/self/exe", argv[0], "child", NULL);
		_exit(127);
	}
	close(ends[1]);
	while ((length = read(ends[0], bytes, sizeof(bytes))) > 0)
		all += length;
	printf("%zd bytes\n", all);
	return 0;
}
