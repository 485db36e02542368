/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: faults as a way of working: null checks resumed elsewhere, write barriers, jumps out
 * expect: errors 0
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

static sigjmp_buf again;
static volatile int checks, barriers, jumps;
static char *heap;
static volatile int way;

static __attribute__((noinline, used)) void null_check(void)
{
	checks++;
	free(malloc(50));
	siglongjmp(again, 1);
}

static void handler(int number, siginfo_t *info, void *context)
{
	ucontext_t *at = context;
	char *page = (char *)((unsigned long)info->si_addr & ~4095ul);

	(void)number;
	if (way == 0) {
		barriers++;
		mprotect(page, 4096, PROT_READ | PROT_WRITE);
	} else if (way == 1) {
#if defined(__x86_64__)
		at->uc_mcontext.gregs[REG_RIP] = (long long)null_check;
		at->uc_mcontext.gregs[REG_RSP] = (at->uc_mcontext.gregs[REG_RSP] - 256) & -16ll;
		at->uc_mcontext.gregs[REG_RSP] -= 8;
#else
		at->uc_mcontext.pc = (unsigned long)null_check;
#endif
	} else {
		jumps++;
		siglongjmp(again, 1);
	}
}

static void all(int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
	volatile int i;

	sigaction(SIGSEGV, &action, NULL);
	for (i = 0; i < 600; i++) {
		way = 0;
		mprotect(heap, 16 * 4096, PROT_READ);
		heap[(i % 16) * 4096 + i] = 1;
		for (way = 1; way < 3; way++) {
			free(malloc((size_t)i));
			if (!sigsetjmp(again, 1))
				*(volatile int *)16 = 1;
		}
	}
	printf("%d %d %d\n", checks, barriers, jumps);
}

int main(void)
{
	stack_t stack = {.ss_sp = malloc(32768), .ss_size = 32768};

	heap = mmap(NULL, 16 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	all(0);
	all(SA_NODEFER);
	all(SA_ONSTACK);
	sigaltstack(&stack, NULL);
	all(SA_ONSTACK);
	all(SA_ONSTACK | SA_RESTART);
	return 0;
}
