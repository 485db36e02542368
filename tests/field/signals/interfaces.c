/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: handlers set and asked for through each interface of the C library, in turn
 * build: $CC -g -O1 -w -o interfaces $SRC/interfaces.c
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

extern int __sigaction(int, const struct sigaction *, struct sigaction *);
extern __sighandler_t bsd_signal(int, __sighandler_t);

static volatile int calls;

static void first(int number)
{
	calls++;
}
static void second(int number)
{
	calls += 100;
}
static void third(int number, siginfo_t *info, void *context)
{
	calls += info->si_signo == number ? 10000 : 0;
}

static const char *name(void *handler)
{
	return handler == (void *)SIG_DFL    ? "default"
	       : handler == (void *)SIG_IGN  ? "ignore"
	       : handler == (void *)SIG_ERR  ? "error"
	       : handler == (void *)SIG_HOLD ? "hold"
	       : handler == (void *)first    ? "first"
	       : handler == (void *)second   ? "second"
	       : handler == (void *)third    ? "third"
					     : "another";
}

/* On arm64 the C library leaves it as it was on its stack. */
static const char *restorer(const struct sigaction *action)
{
#ifdef __x86_64__
	return action->sa_restorer ? "restorer" : "-";
#else
	(void)action;
	return "-";
#endif
}

struct kernel_action {
	void *handler;
	unsigned long flags;
	void *restorer;
	unsigned long mask;
};

static void tell(const char *after, int number)
{
	struct kernel_action raw;
	struct sigaction old;
	sigset_t mask;

	memset(&old, 0, sizeof(old));
	if (sigaction(number, NULL, &old))
		printf("sigaction: %s\n", strerror(errno));
	sigprocmask(SIG_BLOCK, NULL, &mask);
	printf("%2d %-28s %-8s flags %08x mask %016lx %s%s\n", number, after, name(old.sa_handler),
	       old.sa_flags, *(unsigned long *)&old.sa_mask, restorer(&old),
	       sigismember(&mask, number) ? " blocked" : "");
	memset(&old, 0xff, sizeof(old));
	__sigaction(number, NULL, &old);
	syscall(SYS_rt_sigaction, number, NULL, &raw, 8);
	if (old.sa_handler != raw.handler || (int)raw.flags != old.sa_flags ||
	    raw.mask != *(unsigned long *)&old.sa_mask)
		printf("   the kernel has %s %lx %lx\n", name(raw.handler), raw.flags, raw.mask);
}

static void each(int number)
{
	struct sigaction action = {.sa_handler = second, .sa_flags = SA_RESTART | SA_NODEFER}, old;
	struct kernel_action raw = {0}, before;
	sigset_t mask;

	tell("start", number);
	printf("signal: %s\n", name(signal(number, first)));
	tell("signal", number), raise(number);
	printf("bsd_signal: %s\n", name(bsd_signal(number, second)));
	tell("bsd_signal", number), raise(number);
	printf("ssignal: %s\n", name(ssignal(number, first)));
	tell("ssignal", number);
	printf("sysv_signal: %s\n", name(sysv_signal(number, second)));
	tell("sysv_signal", number), raise(number), tell("raise", number);
	printf("__sysv_signal: %s\n", name(__sysv_signal(number, first)));
	tell("__sysv_signal", number);
	printf("sigset: %s\n", name(sigset(number, second)));
	tell("sigset", number);
	printf("sigset hold: %s\n", name(sigset(number, SIG_HOLD)));
	tell("sigset hold", number);
	printf("sigset again: %s\n", name(sigset(number, first)));
	tell("sigset again", number), raise(number);
	printf("sighold: %d\n", sighold(number)), tell("sighold", number);
	printf("sigrelse: %d\n", sigrelse(number)), tell("sigrelse", number);
	siginterrupt(number, 0), tell("siginterrupt 0", number);
	siginterrupt(number, 1), tell("siginterrupt 1", number), raise(number);
	printf("signal: %s\n", name(signal(number, first)));
	tell("signal interrupts", number);
	siginterrupt(number, 0);
	printf("sigignore: %d\n", sigignore(number)), tell("sigignore", number), raise(number);
	sigaction(number, &action, &old);
	printf("sigaction: %s\n", name(old.sa_handler)), tell("sigaction", number), raise(number);
	action.sa_flags = SA_SIGINFO | SA_RESETHAND | SA_ONSTACK;
	action.sa_sigaction = third;
	sigfillset(&action.sa_mask);
	__sigaction(number, &action, &action);
	printf("__sigaction: %s %x\n", name(action.sa_handler), action.sa_flags);
	tell("__sigaction once", number), raise(number), tell("raise", number);
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	action.sa_sigaction = third;
	sigaction(number, &action, &old);
	printf("onstack: %s %x\n", name(old.sa_handler), old.sa_flags);
	tell("onstack", number), raise(number);
	siginterrupt(number, 0), tell("siginterrupt onstack", number), raise(number);
	syscall(SYS_rt_sigaction, number, NULL, &before, 8);
	raw = before, raw.handler = first, raw.flags &= ~(unsigned long)SA_SIGINFO;
	memset(&before, 0, sizeof(before));
	printf("raw: %ld\n", syscall(SYS_rt_sigaction, number, &raw, &before, 8));
	printf("raw old: %s %lx\n", name(before.handler), before.flags);
	tell("raw", number), raise(number);
	printf("signal: %s\n", name(signal(number, SIG_DFL)));
	tell("default", number);
	printf("calls %d\n", calls);
}

int main(void)
{
	struct sigaction action = {.sa_handler = first};

	each(SIGSEGV), each(SIGBUS), each(SIGABRT), each(SIGFPE), each(SIGILL), each(SIGUSR1),
		each(40);
	printf("%d %s\n", sigaction(SIGKILL, &action, NULL), strerror(errno));
	printf("%d %s\n", sigaction(99, &action, NULL), strerror(errno));
	printf("%d %s\n", sigaction(0, NULL, &action), strerror(errno));
	printf("%s %s\n", name(signal(SIGSTOP, first)), strerror(errno));
	printf("%ld %s\n", syscall(SYS_rt_sigaction, SIGSEGV, NULL, NULL, 4), strerror(errno));
	return 0;
}
