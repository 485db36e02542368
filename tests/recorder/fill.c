/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* fill: so many objects from three places live at the end, of 32, 200 and 3000 bytes: 80, 19 and 1
 * %. */
#include <stdio.h>
#include <stdlib.h>

static __attribute__((noinline, noipa)) void *small(void)
{
	void *object = malloc(32);

	__asm__ volatile("" : "+r"(object));
	return object;
}

static __attribute__((noinline, noipa)) void *medium(void)
{
	void *object = malloc(200);

	__asm__ volatile("" : "+r"(object));
	return object;
}

static __attribute__((noinline, noipa)) void *large(void)
{
	void *object = malloc(3000);

	__asm__ volatile("" : "+r"(object));
	return object;
}

int main(int argc, char **argv)
{
	long i, nr = argc > 1 ? atol(argv[1]) : 100000;

	for (i = 0; i < nr; i++) {
		void *object = i % 100 == 99 ? large() : i % 5 == 4 ? medium() : small();

		/* As many that are freed at once. */
		free(small());
		if (!object)
			return 1;
	}
	puts("done");
	return 0;
}
