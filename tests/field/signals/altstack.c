/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: handlers on alternate stacks, small ones, as the program asks for and asks about them
 * expect: errors 0
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static char *low;
static size_t size;
static sigjmp_buf again;
static volatile int leave;

static void show(const char *when)
{
	stack_t old;

	memset(&old, 0, sizeof(old));
	sigaltstack(NULL, &old);
	printf("%s: %s size %s flags %x\n", when,
	       !old.ss_sp	  ? "none"
	       : old.ss_sp == low ? "mine"
				  : "another",
	       old.ss_size == size ? "as set"
	       : old.ss_size	   ? "other"
				   : "0",
	       old.ss_flags);
}

static int on_stack(const void *here)
{
	return (char *)here > low && (char *)here <= low + size;
}

static void handler(int number, siginfo_t *info, void *context)
{
	const stack_t none = {.ss_flags = SS_DISABLE};
	char here;

	(void)info, (void)context;
	printf("handler %d: on the stack: %d\n", number, on_stack(&here));
	show("in the handler");
	printf("disable: %d", sigaltstack(&none, NULL));
	printf(" %s\n", errno == EPERM ? "EPERM" : "");
	errno = 0;
	if (number == SIGUSR1)
		raise(SIGUSR2);
	if (leave)
		siglongjmp(again, 1);
}

static void use(size_t bytes)
{
	const stack_t none = {.ss_flags = SS_DISABLE};
	stack_t mine = {.ss_size = bytes}, old;

	low = mine.ss_sp = malloc(bytes);
	memset(low, 7, bytes);
	show("before");
	printf("set: %d\n", sigaltstack(&mine, &old));
	size = bytes;
	printf("old: %s %x\n", old.ss_sp ? "some" : "none", old.ss_flags);
	show("after");
	raise(SIGUSR1);
	show("back");
	leave = 1;
	if (!sigsetjmp(again, 1))
		raise(SIGUSR2);
	leave = 0;
	show("left");
	raise(SIGUSR2);
	printf("disable: %d\n", sigaltstack(&none, &old));
	printf("old: %s %x %d\n", old.ss_sp == low ? "mine" : "another", old.ss_flags,
	       old.ss_size == bytes);
	show("disabled");
	raise(SIGUSR2);
	free(low);
}

static void *run(void *unused)
{
	stack_t bad = {.ss_sp = "x", .ss_size = 100};

	low = NULL, size = 0;
	use(getauxval(AT_MINSIGSTKSZ) + 14000);
	use(64 << 10);
	low = NULL, size = 0;
	printf("too small: %d %s\n", sigaltstack(&bad, NULL), strerror(errno));
	bad.ss_size = 1 << 20, bad.ss_flags = 77;
	printf("bad flags: %d %s\n", sigaltstack(&bad, NULL), strerror(errno));
	return unused;
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	pthread_t thread;

	setvbuf(stdout, NULL, _IONBF, 0);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	run(NULL);
	pthread_create(&thread, NULL, run, NULL);
	pthread_join(thread, NULL);
	return 0;
}
