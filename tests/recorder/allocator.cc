/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* allocator: an allocator not the C library's, linked in one way or the other; C and C++. */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#define ALONE __attribute__((noinline))

static ALONE void *keep(void *object)
{
	__asm__ volatile("" : "+r"(object));
	return object;
}

ALONE void *lose_malloc(void)
{
	return keep(malloc(1001));
}

ALONE void *lose_new(void)
{
	return keep(new char[1002]);
}

ALONE void *lose_aligned(void)
{
	void *object = nullptr;

	return posix_memalign(&object, 256, 1003) ? nullptr : keep(object);
}

ALONE void *lose_realloc(void)
{
	return keep(realloc(keep(calloc(3, 5)), 1004));
}

static void work()
{
	std::vector<char *> objects;

	for (int i = 0; i < 20000; i++) {
		objects.push_back(new char[1 + i % 700]);
		if (i % 3 == 0) {
			delete[] objects.front();
			objects.front() = new char[5];
		}
		memset(objects.back(), 1, 1 + i % 700);
	}
	for (char *object : objects)
		delete[] object;
}

int main()
{
	std::thread other(work);

	work();
	other.join();
	lose_malloc();
	lose_new();
	lose_aligned();
	lose_realloc();
	char *twice = static_cast<char *>(malloc(77));
	free(keep(twice));
	free(keep(twice));
	puts("done");
	return 0;
}
