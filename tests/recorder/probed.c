/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* probed.c - objects of many sizes come and go, and each is told on standard output. */
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 200 };

static char output[1 << 16];

static __attribute__((noinline)) void probed_work(void)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		size_t size = 16 + 37 * i;
		void *volatile object = malloc(size), *moved;

		printf("alloc %lu %lu\n", (unsigned long)object, (unsigned long)size);
		if (i % 4 == 1) {
			printf("free %lu\n", (unsigned long)object);
			free(object);
		} else if (i % 4 == 2) {
			printf("free %lu\n", (unsigned long)object);
			moved = realloc(object, 3 * size);
			printf("alloc %lu %lu\n", (unsigned long)moved, (unsigned long)(3 * size));
		}
	}
}

int main(void)
{
	setvbuf(stdout, output, _IOFBF, sizeof(output)); /* which is no object */
	probed_work();
	return 0;
}
