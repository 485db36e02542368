/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program's own operator new and delete, from a pool, which throw and count
 * build: $CXX -g -O1 -fno-builtin -o own_new $SRC/own_new.cc
 * run: own_new
 * expect: not DOUBT
 */
#include <cstdio>
#include <cstdlib>
#include <new>

static char pool[1 << 20];
static std::size_t used, news, deletes;

void *operator new(std::size_t size)
{
	news++;
	if (size > sizeof(pool) - used)
		throw std::bad_alloc();
	void *object = pool + used;
	used += (size + 31) & ~std::size_t(15);
	return object;
}

void operator delete(void *object) noexcept
{
	deletes += object != nullptr;
}

void operator delete(void *object, std::size_t) noexcept
{
	deletes += object != nullptr;
}

int main()
{
	int caught = 0;

	for (int i = 0; i < 1000; i++)
		delete new int(i);
	for (int i = 0; i < 3; i++)
		try {
			delete new char[2 << 20];
		} catch (const std::bad_alloc &) {
			caught++;
		}
	for (int i = 0; i < 1000; i++)
		std::free(std::malloc(i));
	std::printf("%zu %zu %d\n", news, deletes, caught);
	return 0;
}
