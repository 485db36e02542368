/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: signals of faults that are sent, blocked and taken by sigwaitinfo() and signalfd()
 * expect: errors 0
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

int main(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
	struct signalfd_siginfo told;
	siginfo_t info;
	sigset_t mask;
	unsigned int i;
	int fd;

	sigemptyset(&mask);
	for (i = 0; i < 5; i++)
		sigaddset(&mask, signals[i]);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	fd = signalfd(-1, &mask, SFD_CLOEXEC);
	for (i = 0; i < 5; i++) {
		free(malloc(30));
		kill(getpid(), signals[i]);
		printf("%d ", sigwaitinfo(&mask, &info));
		printf("%d %d\n", info.si_signo, info.si_code);
		sigqueue(getpid(), signals[i], (union sigval){.sival_int = 5});
		if (read(fd, &told, sizeof(told)) != sizeof(told))
			return 1;
		printf("%d %d %d\n", told.ssi_signo, told.ssi_code, told.ssi_int);
	}
	close(fd);
	return 0;
}
