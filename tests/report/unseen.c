/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* unseen - keep 40 MiB of an allocator that is inside, 10 MiB of malloc(), and wait for a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MIB ((size_t)1 << 20)

/* By this name it is known. */
static __attribute__((noinline)) void *h_malloc(size_t bytes)
{
	void *memory =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int main(void)
{
	char *hidden = h_malloc(40 * MIB), *seen = malloc(10 * MIB);

	if (!hidden || !seen)
		return 1;
	memset(hidden, 1, 40 * MIB);
	memset(seen, 1, 10 * MIB);
	puts("ready");
	(void)fflush(stdout);
	(void)getchar();
	return 0;
}
