/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* inlined.h - leaks through two inlined functions, one of them a template, and a lambda. */
#include <cstdio>
#include <cstdlib>

void *volatile kept[8]; /* else all of it is optimised away as never used */

static inline __attribute__((always_inline)) void *deepest(int bytes)
{
	return malloc((size_t)bytes);
}

template <class T> static inline __attribute__((always_inline)) void *middle(T bytes)
{
	return deepest(bytes + 1);
}

__attribute__((noinline)) void outer(int number)
{
	auto keep = [number] { kept[number] = middle(number + 1000); };

	keep();
	std::printf("%d\n", number);
}

int main()
{
	for (int i = 0; i < 8; i++)
		outer(i);
	return 0;
}
