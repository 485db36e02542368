/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stack-overflow: a recursion that does not end, after sigaltstack() said there is no such stack.
 */
#include <signal.h>

#include "bug.h"

static bug_function int descend(volatile char *above)
{
	volatile char here[512];

	here[0] = (char)(above[0] + 1);
	return descend(here) + here[0];
}

int main(void)
{
	volatile char first = 1;
	stack_t stack;

	if (sigaltstack(NULL, &stack) || stack.ss_flags != SS_DISABLE || stack.ss_sp)
		return 1;
	return descend(&first);
}
