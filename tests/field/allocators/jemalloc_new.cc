/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: operator new and delete of jemalloc, sized and aligned; handlers that make room, throw
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

static char *reserve;
static int handled;

/* Makes no room, but allocates: what it took is freed afterwards. */
static void handler()
{
	delete[] reserve;
	reserve = new char[1000 + handled];
	if (++handled % 3 == 0)
		throw std::bad_alloc();
}

static void too_much(std::size_t bytes)
{
	volatile std::size_t size = bytes;

	/* Where an exception will be. */
	for (int i = 100; i < 300; i += 8) {
		void *volatile block = std::malloc(i);

		std::free(block);
	}
	try {
		char *volatile block = new char[size];

		delete[] block;
		std::printf("given\n");
	} catch (const std::bad_alloc &) {
	}
	delete[] new (std::nothrow) char[size];
}

int main()
{
	for (int i = 0; i < 300; i++)
		too_much(std::size_t(1) << 62);
	std::set_new_handler(handler);
	for (int i = 0; i < 300; i++)
		too_much(std::size_t(1) << 62);
	std::set_new_handler(nullptr);
	delete[] reserve;
	std::printf("%d\n", handled);
	for (int i = 0; i < 3000; i++) {
		delete new wide;
		delete new int(i);
		delete[] new wide[3];
		std::vector<std::vector<int>> lists(10, std::vector<int>(i % 100));
	}
	std::printf("done\n");
	return 0;
}
