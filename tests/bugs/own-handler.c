/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The program has a handler of its own for the signal, and knows what to do. No error. */
#include <setjmp.h>
#include <signal.h>

#include "bug.h"

static sigjmp_buf again;

static void handler(int number)
{
	(void)number;
	siglongjmp(again, 1);
}

int main(void)
{
	volatile char *null = hidden(NULL);

	if (signal(SIGSEGV, handler) != SIG_DFL)
		return 1;
	if (!sigsetjmp(again, 1))
		return *null;
	return signal(SIGSEGV, SIG_DFL) == handler ? 7 : 2;
}
