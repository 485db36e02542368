/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* single - one thread that allocates, handles a fault, and leaks. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Calls of the program that pass through the library fail, too: it makes them again. */
static char page[4096] __attribute__((aligned(4096)));
static volatile int faults;

static void barrier(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
	faults++;
	while (mprotect(page, 4096, PROT_READ | PROT_WRITE))
		;
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = barrier, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	void *volatile blocks[50];
	int i;

	sigaction(SIGSEGV, &action, NULL);
	while (mprotect(page, 4096, PROT_READ))
		;
	page[0] = 1;
	for (i = 0; i < 50; i++)
		blocks[i] = malloc(100 + (size_t)i);
	for (i = 10; i < 50; i++)
		free(blocks[i]);
	printf("%d faults\n", faults);
	return 7;
}
