/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a child of vfork() resets its signals before exec, as spawners do; its parent needs its
 * own
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char *page;
static volatile int faults;

static void barrier(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
	faults++;
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static void spawn(int number)
{
	pid_t child = vfork();
	int status;

	if (!child) {
		struct sigaction none = {.sa_handler = number % 2 ? SIG_DFL : SIG_IGN}, old;

		sigaction(SIGSEGV, &none, NULL);
		sigaction(SIGABRT, &none, NULL);
		signal(SIGBUS, SIG_IGN);
		if (sigaction(SIGSEGV, NULL, &old) || old.sa_handler != none.sa_handler)
			_exit(3);
		execl("/bin/true", "true", (char *)NULL);
		_exit(127);
	}
	waitpid(child, &status, 0);
	if (status)
		printf("child: %x\n", status);
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = barrier, .sa_flags = SA_SIGINFO}, old;
	int i;

	sigaction(SIGSEGV, &action, NULL);
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < 10; i++) {
		free(malloc(100));
		mprotect(page, 4096, PROT_READ);
		spawn(i);
		page[0] = 1;
	}
	sigaction(SIGSEGV, NULL, &old);
	printf("faults %d, handler %s\n", faults, old.sa_sigaction == barrier ? "kept" : "lost");
	sigaction(SIGABRT, NULL, &old);
	printf("abort %s\n", old.sa_handler == SIG_DFL ? "default" : "lost");
	return 0;
}
