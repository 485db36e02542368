/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a worker under a filter of libseccomp: what malloc() needs is allowed, all else kills
 * build: $CC -g -O1 -o worker $SRC/worker.c -lseccomp
 * needs: libseccomp-dev
 * expect: errors 0
 */
#include <seccomp.h>
#include <stdlib.h>
#include <unistd.h>

static void *volatile block;

int main(void)
{
	static const int allowed[] = {SCMP_SYS(read),	    SCMP_SYS(write),	   SCMP_SYS(exit),
				      SCMP_SYS(exit_group), SCMP_SYS(brk),	   SCMP_SYS(mmap),
				      SCMP_SYS(munmap),	    SCMP_SYS(mremap),	   SCMP_SYS(futex),
				      SCMP_SYS(newfstatat), SCMP_SYS(rt_sigreturn)};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	unsigned int i;

	free(malloc(100));
	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (seccomp_load(filter))
		return 1;
	for (i = 0; i < 30000; i++) {
		block = malloc(20 + i % 5000);
		free(block);
	}
	if (write(1, "done\n", 5) != 5)
		return 2;
	_exit(7);
}
