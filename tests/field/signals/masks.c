/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: the mask in a handler is what was blocked and sa_mask, in sigsuspend() too
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void show(const char *when)
{
	sigset_t mask;
	int i;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	printf("%s:", when);
	for (i = 1; i < 65; i++)
		if (sigismember(&mask, i))
			printf(" %d", i);
	puts("");
}

static void handler(int number)
{
	printf("%d ", number);
	show("in the handler");
}

static void one(int number, int flags, int only)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	struct timespec no = {0, 0};
	sigset_t mask, blocked, old;

	if (only)
		sigaddset(&action.sa_mask, only);
	else
		sigfillset(&action.sa_mask);
	sigaction(number, &action, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGHUP);
	sigprocmask(SIG_BLOCK, &blocked, &old);
	raise(number);
	show("after");
	sigaddset(&blocked, number);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	raise(number);
	sigemptyset(&mask);
	sigaddset(&mask, SIGQUIT);
	sigsuspend(&mask);
	show("after sigsuspend");
	raise(number);
	ppoll(NULL, 0, &no, &mask);
	show("after ppoll");
	sigprocmask(SIG_SETMASK, &old, NULL);
	show("after it");
}

int main(void)
{
	static const int flags[] = {0, SA_ONSTACK, SA_NODEFER, SA_ONSTACK | SA_NODEFER, SA_RESTART};
	static const int signals[] = {SIGUSR1, SIGSEGV, SIGABRT};
	unsigned int i, j;

	for (i = 0; i < 3; i++)
		for (j = 0; j < 5; j++) {
			free(malloc(20));
			one(signals[i], flags[j], SIGTERM);
			if (flags[j] & SA_RESETHAND)
				continue;
			one(signals[i], flags[j], 0);
		}
	return 0;
}
