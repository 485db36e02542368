/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* filter.h - put this process under a filter that allows some system calls, without a library. */
#ifndef FIELD_FILTER_H
#define FIELD_FILTER_H

#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What malloc() needs, output, and an end. */
#define FILTER_MALLOC                                                                             \
	SYS_read, SYS_write, SYS_exit, SYS_exit_group, SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, \
		SYS_futex, SYS_newfstatat, SYS_getrandom, SYS_ioctl

static inline void filter_begin(unsigned int otherwise, const int *allowed, unsigned int nr)
{
	static struct sock_filter code[128];
	struct sock_fprog program = {.filter = code};
	unsigned int i, at = 0;

	code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						  offsetof(struct seccomp_data, nr));
	for (i = 0; i < nr; i++) {
		code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							  (unsigned int)allowed[i], 0, 1);
		code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, otherwise);
	program.len = (unsigned short)at;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("seccomp");
		exit(99);
	}
}

#define FILTER_ALLOW(...)                                                                       \
	do {                                                                                    \
		const int allowed[] = {__VA_ARGS__};                                            \
		filter_begin(SECCOMP_RET_KILL_PROCESS, allowed, sizeof(allowed) / sizeof(int)); \
	} while (0)

#endif
