/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: what a handler finds in its context and its information, as those look that write it into
 * field: a crash report or see from it which stack they are on
 * expect: errors 0
 */
#define _GNU_SOURCE
#include <execinfo.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif
#define BYTES (64u << 10)
/* Other flags have no meaning, and a recorder may have one among them. */
#define FLAGS (SS_ONSTACK | SS_DISABLE | SS_AUTODISARM)

#if defined(__x86_64__)
#define FP_STATE(context) ((const void *)(context)->uc_mcontext.fpregs)
#else
#define FP_STATE(context) ((const void *)(context)->uc_mcontext.__reserved)
#endif

static char stacks[2][BYTES];
static char *forbidden;
static sigjmp_buf again;
static int nested;

static const char *name_of(const void *at)
{
	const uintptr_t address = (uintptr_t)at;
	int i;

	for (i = 0; i < 2; i++)
		if (address - (uintptr_t)stacks[i] < BYTES)
			return i ? "second" : "first";
	return at ? "another" : "none";
}

static void show_stack(const char *what, const stack_t *stack)
{
	printf(" %s %s %zu %x,", what, name_of(stack->ss_sp), stack->ss_size,
	       (unsigned int)stack->ss_flags & FLAGS);
}

static void show_now(const char *what)
{
	stack_t now;

	sigaltstack(NULL, &now);
	show_stack(what, &now);
}

static void show_mask(const sigset_t *mask)
{
	int i;

	printf(" mask");
	for (i = 1; i < 32; i++)
		if (sigismember(mask, i))
			printf(" %d", i);
}

/* Of an address on a stack only that is the same each time. */
static const char *place(const void *at)
{
	const char *name = name_of(at);

	return strcmp(name, "another") ? name : "the thread's";
}

static void show(int number, const siginfo_t *info, const ucontext_t *context)
{
	void *frames[32];
	char here;

	printf("handler %d on %s stack: signo %d code %d value %d addr %d,", number, place(&here),
	       info->si_signo, info->si_code,
	       info->si_code == SI_QUEUE || info->si_code == SI_TIMER ? info->si_value.sival_int
								      : 0,
	       info->si_code > 0 ? (int)((char *)info->si_addr - forbidden) : 0);
	printf(" pid %d, link %d, frames %d,",
	       info->si_code <= 0 && info->si_code != SI_TIMER ? info->si_pid == getpid() : -1,
	       !!context->uc_link, backtrace(frames, 32));
	printf(" context on %s, info on %s,", place(context), place(info));
	printf(" fp state on %s,", place(FP_STATE(context)));
	show_stack("shown", &context->uc_stack);
	show_now("asked");
	show_mask(&context->uc_sigmask);
	puts("");
}

static void handler(int number, siginfo_t *info, void *memory)
{
	ucontext_t *context = memory;

	show(number, info, context);
	if (nested && number == SIGUSR1)
		raise(SIGUSR2);
	if (number == SIGSEGV)
		siglongjmp(again, 1);
	if (number == SIGHUP) {
		const int result = sigaltstack(&context->uc_stack, NULL);

		show_now(result ? "refused" : "set as shown");
		puts("");
	}
	if (number == SIGWINCH && context->uc_stack.ss_size) {
		context->uc_stack.ss_sp = stacks[1];
		context->uc_stack.ss_flags = 0;
	}
}

static void fault(void)
{
	if (!sigsetjmp(again, 1))
		*(volatile char *)(forbidden + 8) = 1;
}

static void send_timer(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	const struct itimerspec soon = {.it_value = {.tv_nsec = 1}};
	sigset_t alarm, old;
	timer_t timer;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm, &old);
	event.sigev_value.sival_int = 77;
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &soon, NULL);
	sigsuspend(&old);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	timer_delete(timer);
}

/* All that may come, however its handler was asked for. */
static void all(const char *when)
{
	union sigval value = {.sival_int = 44};
	sigset_t some, old;

	printf("-- %s:", when);
	show_now("stack");
	puts("");
	raise(SIGUSR1);
	fault();
	sigemptyset(&some);
	sigaddset(&some, SIGINT);
	sigaddset(&some, SIGIO);
	pthread_sigmask(SIG_BLOCK, &some, &old);
	raise(SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_sigqueue(pthread_self(), SIGUSR1, value);
	nested = 1;
	raise(SIGUSR1);
	nested = 0;
	if (!strncmp(when, "main", 4))
		send_timer();
	raise(SIGHUP);
	show_now("afterwards");
	puts("");
}

static void set(int which, unsigned int flags)
{
	stack_t stack = {.ss_sp = stacks[which], .ss_size = BYTES, .ss_flags = (int)flags};

	sigaltstack(&stack, NULL);
}

static void *run(void *name)
{
	char when[40];
	unsigned int i;
	static const unsigned int flags[] = {0, SS_ONSTACK, SS_AUTODISARM, SS_DISABLE};

	free(malloc(10));
	snprintf(when, sizeof(when), "%s, none", (char *)name);
	all(when);
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		snprintf(when, sizeof(when), "%s, flags %x", (char *)name, flags[i]);
		set(0, flags[i]);
		all(when);
	}
	/* What a handler leaves in its context is in force, unless it is on that stack. */
	set(0, 0);
	raise(SIGWINCH);
	show_now("left there");
	puts("");
	raise(SIGUSR1);
	set(0, SS_DISABLE);
	return NULL;
}

static void ask_for(int flags)
{
	static const int numbers[] = {SIGUSR1, SIGUSR2, SIGSEGV, SIGALRM, SIGHUP};
	struct sigaction action = {.sa_sigaction = handler};
	unsigned int i;

	action.sa_flags = SA_SIGINFO;
	sigaddset(&action.sa_mask, SIGTERM);
	sigaction(SIGWINCH, &action, NULL);
	action.sa_flags |= flags;
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
	printf("== flags %x\n", flags);
}

int main(void)
{
	static const int flags[] = {SA_ONSTACK, 0, SA_NODEFER, SA_ONSTACK | SA_RESTART};
	pthread_t thread;
	void *frame;
	unsigned int i;

	setvbuf(stdout, NULL, _IONBF, 0);
	backtrace(&frame, 1);
	forbidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		ask_for(flags[i]);
		run("main");
		pthread_create(&thread, NULL, run, "thread");
		pthread_join(thread, NULL);
		fflush(stdout);
		if (!fork()) {
			run("child");
			exit(0);
		}
		wait(NULL);
	}
	return 0;
}
