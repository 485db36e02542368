/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program catches the overflow of its stack on an alternate one, leaves it, and goes on
 * expect: errors 0
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static __thread sigjmp_buf again;

static void handler(int number)
{
	(void)number;
	siglongjmp(again, 1);
}

static __attribute__((noinline)) int descend(volatile char *above)
{
	volatile char here[512];

	here[0] = (char)(above[0] + 1);
	return descend(here) + here[0];
}

static void *run(void *argument)
{
	stack_t stack = {.ss_sp = malloc(16384), .ss_size = 16384};
	volatile int caught = 0, i;
	volatile char first = 1;

	sigaltstack(&stack, NULL);
	for (i = 0; i < 20; i++) {
		if (!sigsetjmp(again, 1))
			descend(&first);
		caught++;
		free(malloc(100));
	}
	printf("caught %d\n", caught);
	stack.ss_flags = SS_DISABLE;
	sigaltstack(&stack, NULL);
	return argument;
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
	pthread_t thread;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	run(NULL);
	pthread_create(&thread, NULL, run, NULL);
	pthread_join(thread, NULL);
	return 0;
}
