/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * no_requeue PROGRAM [ARGUMENT ...]: for an emulator. qemu-user takes a fault's signal that is sent
 * once more for a fault of its own, and ends with an assertion. Where that system call is refused
 * the recorder lets the fault come again.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)offsetof(struct seccomp_data, field))
#define IS(value, otherwise) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, otherwise)
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, what)

int main(int argc, char **argv)
{
	struct sock_filter filter[] = {
		LOAD(nr),	IS(SYS_rt_tgsigqueueinfo, 3),	   LOAD(args[2]),
		IS(SIGSEGV, 1), ANSWER(SECCOMP_RET_ERRNO | EPERM), ANSWER(SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("no_requeue");
		return 127;
	}
	(void)execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
