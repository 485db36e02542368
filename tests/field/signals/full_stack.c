/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a handler that has used up its alternate stack, but for less than a second signal's frame
 * field: takes, ends the program; it ran before, and returned
 * build: $CC -g -O1 -Wl,-z,now -o full_stack $SRC/full_stack.c
 * run: full_stack abort; echo $?; full_stack fault; echo $?
 * expect: errors crash 1
 * expect: errors null-ptr-deref 1
 */
#define _GNU_SOURCE
#include <alloca.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>

#define LEFT 1000 /* abort() needs some, and a frame takes more */

static char *low;
static int last, fault;

static void handler(int number, siginfo_t *info, void *context)
{
	char *filled;
	size_t room;

	(void)number, (void)info, (void)context;
	if (!last)
		return;
	room = (uintptr_t)__builtin_frame_address(0) - (uintptr_t)low;
	filled = alloca(room - LEFT);
	memset(filled, 1, 100);
	__asm__ volatile("" ::"r"(filled) : "memory");
	if (fault)
		*(volatile int *)8 = 1;
	abort();
}

int main(int argc, char **argv)
{
	const size_t bytes = getauxval(AT_MINSIGSTKSZ) + 8192;
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	stack_t stack = {.ss_size = bytes};
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	fault = argc > 1 && !strcmp(argv[1], "fault");
	stack.ss_sp = low = malloc(bytes);
	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	last = 1;
	raise(SIGUSR1);
	return 0;
}
