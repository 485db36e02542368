/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a handler with SA_ONSTACK and no alternate stack: an overflow is the end, as natively
 * expect: errors stack-overflow 1
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void handler(int number)
{
	(void)number;
	_exit(3);
}

static __attribute__((noinline)) int descend(volatile char *above)
{
	volatile char here[512];

	here[0] = (char)(above[0] + 1);
	return descend(here) + here[0];
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
	volatile char first = 1;

	free(malloc(10));
	sigaction(SIGSEGV, &action, NULL);
	return descend(&first);
}
