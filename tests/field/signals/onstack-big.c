/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a handler with SA_ONSTACK in a thread without sigaltstack() uses much of the thread's own
 * field: stack, as one that symbolizes does
 * run: onstack-big; echo $?; onstack-big sent; echo $?; onstack-big thread; echo $?
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void handler(int number, siginfo_t *info, void *context)
{
	char big[200000];

	(void)info, (void)context;
	memset(big, 1, sizeof(big));
	__asm__ volatile("" ::"r"(big) : "memory");
	if (write(1, number == SIGSEGV ? "handled a fault\n" : "handled\n",
		  number == SIGSEGV ? 16 : 8) < 0)
		_exit(1);
	if (number == SIGSEGV)
		_exit(3);
}

static void *run(void *unused)
{
	free(malloc(10));
	raise(SIGUSR1);
	return unused;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	pthread_t thread;

	(void)argv;
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	run(NULL);
	if (argc > 1) {
		pthread_create(&thread, NULL, run, NULL);
		pthread_join(thread, NULL);
		return 4;
	}
	*(volatile int *)8 = 1;
	return 0;
}
