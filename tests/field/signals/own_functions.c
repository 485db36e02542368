/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program has sigaction() and __sigaction() of its own that lead to the next (Erlang)
 * build: gcc -g -O1 -rdynamic -o own_functions $SRC/own_functions.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

typedef int (*function)(int, const struct sigaction *, struct sigaction *);

static int calls;

static int next(const char *name, int number, const struct sigaction *action, struct sigaction *old)
{
	function found = (function)dlsym(RTLD_NEXT, name);

	calls++;
	return found ? found(number, action, old) : -1;
}

int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
	return next("__sigaction", number, action, old);
}

int __sigaction(int number, const struct sigaction *action, struct sigaction *old);
int __sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
	return next("sigaction", number, action, old);
}

static void handler(int number)
{
	printf("handled %d\n", number);
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler}, old;

	sigaction(SIGUSR1, &action, NULL);
	__sigaction(SIGUSR2, &action, NULL);
	raise(SIGUSR1);
	raise(SIGUSR2);
	sigaction(SIGUSR1, NULL, &old);
	printf("%d calls, %s\n", calls, old.sa_handler == handler ? "mine" : "another's");
	free(malloc(10));
	return 0;
}
