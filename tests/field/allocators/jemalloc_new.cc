/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: operator new and delete of jemalloc, sized and aligned
 * build: $CXX -g -O1 -std=c++17 -o jemalloc_new $SRC/jemalloc_new.cc -ljemalloc
 * needs: libjemalloc-dev
 * run: jemalloc_new
 * expect: not DOUBT
 */
#include <cstdio>
#include <vector>

struct alignas(128) wide {
	char bytes[256];
};

int main()
{
	for (int i = 0; i < 3000; i++) {
		delete new wide;
		delete new int(i);
		delete[] new wide[3];
		std::vector<std::vector<int>> lists(10, std::vector<int>(i % 100));
	}
	std::printf("done\n");
	return 0;
}
