/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a filter answers EPERM, or traps, instead of killing; what comes first is tried without it
 * expect: errors 0
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include "filter.h"

static volatile int trapped;

static void trap(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
	trapped++;
}

/* The stack gets deeper, which is nobody's call. */
static __attribute__((noinline)) int descend(volatile char *above, int depth)
{
	volatile char here[3000];

	here[0] = (char)(above[0] + 1);
	free(malloc(200));
	return depth ? descend(here, depth - 1) + here[0] : 0;
}

static void churn(void)
{
	static int times;
	volatile char first = 0;
	int i;

	(void)descend(&first, 100 * times++);

	for (i = 0; i < 3000; i++)
		free(malloc(20 + (size_t)i % 2000));
}

int main(void)
{
	static const int allowed[] = {FILTER_MALLOC, SYS_rt_sigreturn, SYS_rt_sigaction,
				      SYS_seccomp, SYS_prctl};
	struct sigaction action = {.sa_sigaction = trap, .sa_flags = SA_SIGINFO};

	printf("%d", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL));
	printf(" %s\n", strerror(errno));
	printf("%ld", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL));
	printf(" %s\n", strerror(errno));
	printf("%ld", syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL));
	printf(" %s\n", strerror(errno));
	sigaction(SIGSYS, &action, NULL);
	churn();
	filter_begin(SECCOMP_RET_TRAP, allowed, sizeof(allowed) / sizeof(allowed[0]));
	churn();
	(void)syscall(SYS_getuid);
	churn();
	printf("trapped %d\n", trapped);
	printf("mode %s\n", prctl(PR_GET_SECCOMP) == 2 ? "filter" : "other");
	filter_begin(SECCOMP_RET_ERRNO | EPERM, allowed, sizeof(allowed) / sizeof(allowed[0]));
	churn();
	puts("done");
	return 7;
}
