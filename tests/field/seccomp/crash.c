/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a process under a filter dies of a fault, of abort() and of signals that are sent to it,
 * field: with the way back from a handler forbidden, and allowed
 * run: for how in fault abort sent told; do for may in none return; do crash $how $may; echo $?; done; done
 * build: $CC -g -O1 -w -o crash $SRC/crash.c
 * expect: errors null-ptr-deref 1
 * expect: errors crash 2
 */
#include <signal.h>
#include <string.h>
#include "filter.h"

/* Allowed anyway: nothing more is. */
#define NONE SYS_read

int main(int argc, char **argv)
{
	const char *how = argv[1];
	const int may = !strcmp(argv[2], "return") ? SYS_rt_sigreturn : NONE;

	free(malloc(100));
	if (!strcmp(how, "abort"))
		FILTER_ALLOW(FILTER_MALLOC, SYS_rt_sigprocmask, SYS_gettid, SYS_getpid, SYS_tgkill,
			     SYS_rt_sigaction, may);
	else
		FILTER_ALLOW(FILTER_MALLOC, SYS_kill, SYS_getpid, may);
	free(malloc(100));
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "sent"))
		kill(getpid(), SIGSEGV);
	else if (!strcmp(how, "told"))
		kill(getpid(), SIGABRT);
	if (strcmp(how, "fault"))
		return 7;
	return *(volatile int *)8;
}
