/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: what is asked of sigaction() and what was before are one structure
 * build: $CC -g -O1 -o same_structure $SRC/same_structure.c
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *stack;
static const size_t stack_bytes = 1 << 16;

static void handler(int number)
{
	const char here = 0;
	const char *text = &here >= stack && &here < stack + stack_bytes ? "on its own stack\n"
									 : "elsewhere\n";

	(void)number;
	if (write(1, text, strlen(text)) < 0)
		_exit(9);
}

int main(void)
{
	static const int numbers[] = {SIGUSR1, SIGSEGV, SIGFPE};
	struct sigaction action;
	stack_t own = {.ss_size = stack_bytes};
	unsigned int i;

	own.ss_sp = stack = malloc(stack_bytes);
	sigaltstack(&own, NULL);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		memset(&action, 0, sizeof(action));
		action.sa_handler = handler;
		action.sa_flags = SA_ONSTACK;
		sigaction(numbers[i], &action, &action);
		printf("%d\n", action.sa_handler == SIG_DFL);
		fflush(stdout);
		raise(numbers[i]);
		/* And back, as it was told. */
		sigaction(numbers[i], &action, &action);
		printf("%d\n", action.sa_handler == handler);
		fflush(stdout);
	}
	return 0;
}
