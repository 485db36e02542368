/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a library's constructor and the program set handlers before anything is allocated
 * build: $CC -g -O1 -w -shared -fPIC -DLIBRARY -o libearly.so $SRC/early.c
 * build: $CC -g -O1 -w -o early $SRC/early.c -L. -learly -Wl,-rpath,$BIN
 * expect: errors 0
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void early_handler(int number);

#ifdef LIBRARY
void early_handler(int number)
{
	char big[100000];

	memset(big, number, sizeof(big));
	__asm__ volatile("" ::"r"(big) : "memory");
	if (write(1, "early\n", 6) < 0)
		_exit(2);
	if (number == SIGSEGV)
		_exit(3);
}

static __attribute__((constructor)) void early(void)
{
	struct sigaction action = {.sa_handler = early_handler, .sa_flags = SA_ONSTACK};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
}
#else
int main(void)
{
	struct sigaction old;

	sigaction(SIGSEGV, NULL, &old);
	printf("%d %x\n", old.sa_handler == early_handler, old.sa_flags);
	sigaction(SIGUSR1, NULL, &old);
	printf("%d %x\n", old.sa_handler == early_handler, old.sa_flags);
	fflush(stdout);
	raise(SIGUSR1);
	*(volatile int *)8 = 1;
	return 0;
}
#endif
