/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: coroutines on small stacks from malloc() and mmap() allocate, fault and get signals
 * build: $CC -g -O1 -w -o coroutines $SRC/coroutines.c
 * expect: errors 0
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#define BYTES 24576

static ucontext_t mine, other[8];
static volatile int steps, signals;

static void handler(int number)
{
	signals++;
}

static void body(int which)
{
	int i;

	for (i = 0; i < 50; i++) {
		void *volatile block = malloc((size_t)(which * 100 + i));

		steps++;
		raise(i % 2 ? SIGUSR1 : SIGSEGV);
		free(block);
		swapcontext(&other[which], &mine);
	}
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler};
	int i, j;

	sigaction(SIGSEGV, &action, NULL);
	action.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR1, &action, NULL);
	for (i = 0; i < 8; i++) {
		getcontext(&other[i]);
		other[i].uc_stack.ss_size = BYTES;
		other[i].uc_stack.ss_sp = i % 2 ? malloc(BYTES)
						: mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
						       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		other[i].uc_link = &mine;
		makecontext(&other[i], (void (*)(void))body, 1, i);
	}
	for (j = 0; j < 50; j++)
		for (i = 0; i < 8; i++)
			swapcontext(&mine, &other[i]);
	printf("%d steps, %d signals\n", steps, signals);
	return 0;
}
