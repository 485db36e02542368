/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a process under a filter dies of a fault, of abort() and of a signal that is sent to it
 * run: for how in fault abort sent; do ./crash $how; echo $?; done
 */
#include <signal.h>
#include <string.h>
#include "filter.h"

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "fault";

	free(malloc(100));
	if (!strcmp(how, "abort"))
		FILTER_ALLOW(FILTER_MALLOC, SYS_rt_sigprocmask, SYS_gettid, SYS_getpid, SYS_tgkill,
			     SYS_rt_sigaction);
	else
		FILTER_ALLOW(FILTER_MALLOC, SYS_kill, SYS_getpid);
	free(malloc(100));
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "sent"))
		kill(getpid(), SIGSEGV);
	return *(volatile int *)8;
}
