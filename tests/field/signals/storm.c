/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a timer's signals come all the time, during allocation, handlers and changes of handlers
 * expect: errors 0
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

static char *low;
static volatile int ticks, wrong;

static void fault(int number)
{
	(void)number;
}

static void tick(int number)
{
	struct sigaction action = {.sa_handler = fault, .sa_flags = ticks % 2 ? SA_ONSTACK : 0},
			 old;
	char here;
	stack_t stack;

	(void)number;
	ticks++;
	sigaltstack(NULL, &stack);
	if (stack.ss_sp != low || stack.ss_flags != SS_ONSTACK || &here < low ||
	    &here > low + 65536)
		wrong++;
	if (sigaction(SIGSEGV, &action, &old) ||
	    (old.sa_handler != SIG_DFL && old.sa_handler != fault))
		wrong += 1000;
}

int main(void)
{
	struct sigaction action = {.sa_handler = tick, .sa_flags = SA_ONSTACK | SA_RESTART}, old;
	struct itimerval every = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
	stack_t stack = {.ss_size = 65536};
	void *volatile blocks[64] = {NULL};
	unsigned int i;

	stack.ss_sp = low = malloc(65536);
	sigaltstack(&stack, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	for (i = 0; ticks < 1000; i++) {
		free(blocks[i % 64]);
		blocks[i % 64] = malloc(i % 3000);
		action.sa_handler = fault;
		action.sa_flags = i % 3 ? SA_ONSTACK : SA_RESETHAND;
		sigaction(SIGSEGV, &action, NULL);
		sigaction(SIGSEGV, NULL, &old);
		wrong += old.sa_handler != fault;
		signal(SIGABRT, i % 2 ? SIG_IGN : SIG_DFL);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGABRT, SIG_DFL);
	sigaction(SIGALRM, NULL, &old);
	printf("%d %d\n", wrong, old.sa_handler == tick);
	return 0;
}
