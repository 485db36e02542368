/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a sandbox' library wraps sigaction(), asks the next itself what the handler is, and calls
 * field: that from its own (Firefox, SIGSYS)
 * build: $CC -g -O1 -shared -fPIC -DLIBRARY -o libnext_function.so $SRC/next_function.c
 * build: $CC -g -O1 -o next_function $SRC/next_function.c -L. -lnext_function -Wl,-rpath,'$ORIGIN'
 * run: next_function; echo $?
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void library_chains(int number);

static void say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		_exit(9);
}

#ifdef LIBRARY
static void (*chained)(int, siginfo_t *, void *);

static int next(int number, const struct sigaction *action, struct sigaction *ret_old)
{
	static int (*found)(int, const struct sigaction *, struct sigaction *);

	if (!found)
		*(void **)&found = dlsym(RTLD_NEXT, "sigaction");
	return found(number, action, ret_old);
}

int sigaction(int number, const struct sigaction *action, struct sigaction *ret_old)
{
	return next(number, action, ret_old);
}

static void library_handler(int number, siginfo_t *info, void *context)
{
	say("library\n");
	chained(number, info, context);
}

void library_chains(int number)
{
	struct sigaction action;

	if (next(number, NULL, &action) || !(action.sa_flags & SA_SIGINFO))
		_exit(8);
	chained = action.sa_sigaction;
	action.sa_sigaction = library_handler;
	sigaction(number, &action, NULL);
}
#else
#define RESTORER 0x04000000 /* the C library's affair */

static void handler(int number, siginfo_t *info, void *context)
{
	(void)context;
	say(info->si_signo == number ? "program\n" : "another\n");
}

int main(void)
{
	static const int numbers[] = {SIGSYS, SIGUSR1, SIGSEGV, SIGABRT};
	struct sigaction action = {.sa_sigaction = handler}, old;
	unsigned int i, flags, right = 0;
	stack_t stack = {.ss_size = 1 << 16};

	stack.ss_sp = malloc(stack.ss_size);
	sigaltstack(&stack, NULL);
	for (flags = 0; flags < 2; flags++)
		for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
			action.sa_sigaction = handler;
			action.sa_flags = SA_SIGINFO | (flags ? SA_ONSTACK : 0);
			sigaction(numbers[i], &action, NULL);
			library_chains(numbers[i]);
			raise(numbers[i]);
			sigaction(numbers[i], NULL, &old);
			right += old.sa_sigaction != handler &&
				 (old.sa_flags & ~RESTORER) == action.sa_flags;
			signal(numbers[i], SIG_DFL);
		}
	return (int)right;
}
#endif
