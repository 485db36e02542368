/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A function chosen when it is first called, by code that allocates. */
#include <stdlib.h>

void resolver_runs(void);
int chosen(int n);

static int implementation(int n)
{
	return n + 1;
}

static __attribute__((used)) int (*resolve(void))(int)
{
	void *volatile memory;

	resolver_runs();
	memory = malloc(16);
	free(memory);
	return implementation;
}

int chosen(int n) __attribute__((ifunc("resolve")));
