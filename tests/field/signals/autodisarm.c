/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: an alternate stack that is disarmed while a handler runs on it, as coroutine libraries
 * want
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

static char memory[65536], other[65536];

static void show(const char *when)
{
	stack_t old = {0};

	sigaltstack(NULL, &old);
	printf("%s: %s flags %x\n", when,
	       old.ss_sp == memory  ? "mine"
	       : old.ss_sp == other ? "other"
	       : old.ss_sp	    ? "another"
				    : "none",
	       old.ss_flags);
}

static void handler(int number)
{
	stack_t mine = {.ss_sp = other, .ss_size = sizeof(other)};
	char here;

	printf("handler: %d %d\n", number, &here > memory && &here < memory + sizeof(memory));
	show("in the handler");
	free(malloc(100));
	if (number == SIGUSR1) {
		printf("set: %d\n", sigaltstack(&mine, NULL));
		show("set");
		raise(SIGUSR2);
	}
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
	stack_t mine = {.ss_sp = memory, .ss_size = sizeof(memory), .ss_flags = (int)SS_AUTODISARM};

	setvbuf(stdout, NULL, _IONBF, 0);
	free(malloc(10));
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	printf("%d\n", sigaltstack(&mine, NULL));
	show("set");
	raise(SIGUSR2);
	show("back");
	raise(SIGUSR1);
	show("back");
	raise(SIGUSR2);
	mine.ss_flags = SS_DISABLE;
	printf("%d\n", sigaltstack(&mine, NULL));
	show("disabled");
	return 0;
}
