/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: ways to die of a signal, with handlers and without: the status says which, and so do we
 * run: for how in $(ends); do ends $how; done
 * build: $CC -g -O1 -w -o ends $SRC/ends.c
 * expect: errors crash 7
 * expect: errors null-ptr-deref 3
 * expect: errors stack-overflow 1
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BELOW 8192

static sigjmp_buf again;
static const char *how;

static int is(const char *name)
{
	return !strcmp(how, name);
}

static void say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		_exit(9);
}

static void handler(int number, siginfo_t *info, void *context)
{
	say("handler\n");
	if (is("handled")) {
		signal(number, SIG_DFL);
		raise(number);
	} else if (is("caught")) {
		siglongjmp(again, 1);
	} else if (is("forge")) {
		struct sigaction none = {.sa_handler = SIG_DFL};

		sigaction(number, &none, NULL);
		syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), number, info);
	} else if (is("return")) {
		signal(number, SIG_DFL);
	} else if (is("nested") || is("small")) {
		abort();
	}
}

static __attribute__((noinline)) int descend(volatile char *above)
{
	volatile char here[512];

	here[0] = (char)(above[0] + 1);
	return descend(here) + here[0];
}

static void fault(void)
{
	*(volatile int *)8 = 1;
}

static void child(void)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	stack_t stack = {.ss_size = is("small") ? getauxval(AT_MINSIGSTKSZ) + 600 : 16384};
	int number = is("aborted") || is("caught") || is("refused") ? SIGABRT : SIGSEGV;
	volatile char first = 1;
	sigset_t mask;

	if (is("small") || is("nested")) {
		/* A handler may need more than there is, by the processor: that does no harm. */
		stack.ss_sp = (char *)malloc(BELOW + stack.ss_size) + BELOW;
		sigaltstack(&stack, NULL);
	}
	if (is("once"))
		action.sa_flags |= SA_RESETHAND;
	sigemptyset(&mask);
	sigaddset(&mask, SIGSEGV);
	sigaddset(&mask, SIGABRT);
	if (is("ignored"))
		signal(SIGSEGV, SIG_IGN), signal(SIGABRT, SIG_IGN), raise(SIGSEGV), fault();
	if (is("blocked"))
		sigprocmask(SIG_BLOCK, &mask, NULL), raise(SIGSEGV),
			sigaction(SIGSEGV, &action, NULL), fault();
	if (is("held"))
		sigprocmask(SIG_BLOCK, &mask, NULL), abort();
	if (is("refused"))
		signal(SIGABRT, SIG_IGN), abort();
	if (!is("raise"))
		sigaction(number, &action, NULL);
	if (is("aborted") || is("caught")) {
		if (!sigsetjmp(again, 1))
			abort();
		_exit(4);
	}
	if (is("overflow"))
		descend(&first);
	if (is("raise"))
		raise(SIGSEGV);
	fault();
}

int main(int argc, char **argv)
{
	struct rlimit none = {0, 0};
	int status;
	pid_t id;

	if (argc < 2) {
		puts("raise forge handled once return overflow nested small ignored blocked held "
		     "refused aborted caught");
		return 0;
	}
	how = argv[1];
	setrlimit(RLIMIT_CORE, &none);
	free(malloc(10));
	id = fork();
	if (!id) {
		free(malloc(10));
		child();
		_exit(5);
	}
	waitpid(id, &status, 0);
	printf("%s: %x\n", how, status);
	return 0;
}
