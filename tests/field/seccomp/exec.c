/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a sandbox starts a program under its filter, which allows what that program calls
 * build: $CC -static -g -O1 -o exec_target_static $SRC/exec_target.c
 * build: $CC -g -O1 -o exec_target $SRC/exec_target.c
 * build: $CC -g -O1 -o exec $SRC/exec.c
 * expect: unrecorded exec_target_static \(under a seccomp filter
 * expect: unrecorded exec_target \(under a seccomp filter
 */
#include <string.h>
#include <sys/wait.h>
#include "filter.h"

static void one(const char *path)
{
	char *arguments[] = {"target", NULL};
	int status;
	pid_t child = fork();

	if (!child) {
		execv(path, arguments);
		_exit(127);
	}
	if (waitpid(child, &status, 0) < 0)
		_exit(1);
	printf("%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	fflush(stdout);
}

int main(void)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 100);

	path[length] = '\0';
	FILTER_ALLOW(FILTER_MALLOC, SYS_clone, SYS_wait4, SYS_set_robust_list, SYS_rseq, SYS_execve,
		     SYS_arch_prctl, SYS_set_tid_address, SYS_prlimit64, SYS_readlink,
		     SYS_readlinkat, SYS_mprotect, SYS_access, SYS_openat, SYS_pread64, SYS_close,
		     SYS_uname);
	strcpy(strrchr(path, '/'), "/exec_target_static");
	one(path);
	strcpy(strrchr(path, '/'), "/exec_target");
	one(path);
	_exit(7);
}
