/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: under a filter that lets a handler return and nothing else of signals, faults are handled
 * run: barrier; echo $?; barrier onstack; echo $?
 * expect: errors 0
 */
#include <signal.h>
#include <sys/mman.h>
#include "filter.h"

static char *page;
static volatile int faults;

static void barrier(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
	free(malloc(100));
	faults++;
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_sigaction = barrier, .sa_flags = SA_SIGINFO};
	stack_t mine = {.ss_size = 65536};
	int i;

	(void)argv;
	mine.ss_sp = malloc(65536);
	if (argc > 1) {
		action.sa_flags |= SA_ONSTACK;
		sigaltstack(&mine, NULL);
	}
	sigaction(SIGSEGV, &action, NULL);
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	FILTER_ALLOW(FILTER_MALLOC, SYS_mprotect, SYS_rt_sigreturn);
	for (i = 0; i < 500; i++) {
		mprotect(page, 4096, PROT_READ);
		page[0] = 1;
	}
	printf("%d faults\n", faults);
	fflush(stdout);
	_exit(7);
}
