/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a parent reads its child's standard error as data, and the child may have no store
 * build: $CC -g -O0 -o message_and_pipe $SRC/message_and_pipe.c
 * expect: says forked: not recorded: .*RLIMIT_FSIZE
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

int main(void)
{
	const struct rlimit small = {4096, 4096};
	char bytes[256];
	ssize_t length, all = 0;
	int ends[2];

	if (pipe(ends))
		return 1;
	if (!fork()) {
		dup2(ends[1], 2);
		setrlimit(RLIMIT_FSIZE, &small);
		free(malloc(100));
		_exit(write(2, "answer", 6) != 6);
	}
	close(ends[1]);
	while ((length = read(ends[0], bytes, sizeof(bytes))) > 0)
		all += length;
	printf("%zd bytes\n", all);
	return 0;
}
