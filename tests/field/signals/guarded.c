/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: reads beyond objects and of freed ones do no harm natively, whatever SIGSEGV is set to
 * run: for how in $(guarded); do guarded $how; echo $?; done
 * build: $CC -g -O1 -w -o guarded $SRC/guarded.c
 * expect: errors only slab-out-of-bounds slab-use-after-free
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile int sum;

static void handler(int number)
{
	if (write(1, "handler\n", 8) < 0)
		_exit(2);
	_exit(3);
}

static void *beyond(void *unused)
{
	volatile unsigned char *block;
	int i;

	for (i = 0; i < 3000; i++) {
		block = malloc(64);
		memset((void *)block, 1, 64);
		sum += block[64 + i % 16];
		free((void *)block);
		sum += block[32];
	}
	return unused;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "default";
	struct sigaction action = {.sa_handler = handler};
	pthread_t thread;
	sigset_t mask;

	if (argc < 2) {
		puts("default handler ignored blocked thread inherited onstack");
		return 0;
	}
	sigfillset(&mask);
	if (!strcmp(how, "handler") || !strcmp(how, "onstack")) {
		action.sa_flags = how[0] == 'o' ? SA_ONSTACK : 0;
		sigaction(SIGSEGV, &action, NULL);
	}
	if (!strcmp(how, "ignored"))
		signal(SIGSEGV, SIG_IGN);
	beyond(NULL);
	if (!strcmp(how, "blocked") || !strcmp(how, "inherited"))
		pthread_sigmask(SIG_SETMASK, &mask, NULL);
	if (!strcmp(how, "thread") || !strcmp(how, "inherited")) {
		pthread_create(&thread, NULL, beyond, NULL);
		if (how[0] == 'i')
			pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
		beyond(NULL);
		pthread_join(thread, NULL);
	}
	beyond(NULL);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	beyond(NULL);
	puts(how);
	return 7;
}
