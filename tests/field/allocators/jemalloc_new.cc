/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: operator new and delete of jemalloc, sized and aligned, and one that fails
 * build: $CXX -g -O1 -std=c++17 -o jemalloc_new $SRC/jemalloc_new.cc -ljemalloc
 * needs: libjemalloc-dev
 * run: jemalloc_new
 * expect: not DOUBT
 */
#include <cstdio>
#include <cstdlib>
#include <new>
#include <vector>

struct alignas(128) wide {
	char bytes[256];
};

static int handled;

static void handler()
{
	if (++handled == 3)
		throw std::bad_alloc();
}

int main()
{
	volatile std::size_t much = std::size_t(1) << 62;

	for (int i = 0; i < 3000; i++) {
		delete new wide;
		delete new int(i);
		delete[] new wide[3];
		std::vector<std::vector<int>> lists(10, std::vector<int>(i % 100));
	}
	std::set_new_handler(handler);
	try {
		delete[] new char[much];
	} catch (const std::bad_alloc &) {
		std::puts("caught");
	}
	for (int i = 0; i < 100; i++)
		delete new wide;
	std::printf("handled %d\n", handled);
	return 0;
}
