/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stack-overflow-thread: the same in a thread, which had a signal stack of its own for a while. */
#include <pthread.h>
#include <signal.h>

#include "bug.h"

static bug_function int descend(volatile char *above)
{
	volatile char here[512];

	here[0] = (char)(above[0] + 1);
	return descend(here) + here[0];
}

static void *run(void *unused)
{
	static char memory[64 << 10];
	stack_t own = {.ss_sp = memory, .ss_size = sizeof(memory)}, old;
	const stack_t none = {.ss_flags = SS_DISABLE};
	volatile char first = 1;

	(void)unused;
	free(allocate(10));
	if (sigaltstack(&own, NULL) || sigaltstack(&none, &old) || old.ss_sp != memory ||
	    sigaltstack(NULL, &old) || old.ss_flags != SS_DISABLE)
		return NULL;
	return (void *)(size_t)descend(&first);
}

int main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, NULL) || pthread_join(thread, NULL))
		return 1;
	return 2;
}
