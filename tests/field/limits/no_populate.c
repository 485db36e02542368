/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a kernel that has no MADV_POPULATE_WRITE (before 5.14): errno stays as it is
 * maps: 200
 *
 * The filter that stands for such a kernel comes by an instruction of the program's own, so that
 * nobody can know of it.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define OBJECTS 20000
#define POPULATE_WRITE 23

static long set_filter(const struct sock_fprog *program)
{
	long result;

#if defined(__x86_64__)
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(SYS_seccomp), "D"(SECCOMP_SET_MODE_FILTER), "S"(0L), "d"(program)
			 : "rcx", "r11", "memory");
#else
	register long call __asm__("x8") = SYS_seccomp;
	register long mode __asm__("x0") = SECCOMP_SET_MODE_FILTER;
	register long flags __asm__("x1") = 0;
	register const void *at __asm__("x2") = program;

	__asm__ volatile("svc 0" : "+r"(mode) : "r"(call), "r"(flags), "r"(at) : "memory");
	result = mode;
#endif
	return result;
}

static int is_old_kernel(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, POPULATE_WRITE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !set_filter(&program);
}

int main(void)
{
	static void *objects[OBJECTS];
	unsigned int i, changed = 0;

	if (!is_old_kernel())
		return 1;
	for (i = 0; i < OBJECTS; i++) {
		errno = ENOTTY;
		objects[i] = malloc(i % 3 ? 24 : 7000);
		changed += errno != ENOTTY;
	}
	for (i = 0; i < OBJECTS; i++) {
		errno = ENOTTY;
		free(objects[i]);
		changed += errno != ENOTTY;
	}
	printf("errno was changed %u times\n", changed);
	return 0;
}
