/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: a program with malloc() and operator new of its own; new throws
 * build: $CXX -g -O1 -fno-builtin -rdynamic -o own_both $SRC/own_both.cc
 * run: own_both
 * expect: leak keeps() 400 4
 * expect: not DOUBT
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

static char pool[4 << 20];
static std::size_t used, limit = sizeof(pool), frees;

extern "C" void *malloc(std::size_t size)
{
	std::size_t whole = (size + 31) & ~std::size_t(15);

	if (whole > limit - used)
		return nullptr;
	used += whole;
	return pool + used - whole;
}

extern "C" void free(void *object)
{
	frees += object != nullptr;
}

extern "C" void *calloc(std::size_t nr, std::size_t size)
{
	return malloc(nr * size); /* never used before */
}

extern "C" void *realloc(void *object, std::size_t size)
{
	void *moved = malloc(size);

	return object && moved ? std::memcpy(moved, object, size < 16 ? size : 16) : moved;
}

void *operator new(std::size_t size)
{
	void *object = malloc(size);

	if (!object)
		throw std::bad_alloc();
	return object;
}

void operator delete(void *object) noexcept
{
	free(object);
}

void operator delete(void *object, std::size_t) noexcept
{
	free(object);
}

static __attribute__((noinline)) void *keeps()
{
	return std::malloc(100);
}

int main()
{
	int caught = 0, kept = 0;

	for (int i = 0; i < 5; i++)
		try {
			delete new char[8 << 20];
		} catch (const std::bad_alloc &) {
			caught++;
		}
	for (int i = 0; i < 1000; i++)
		delete new int(i);
	for (int i = 0; i < 4; i++)
		kept += keeps() != nullptr;
	std::printf("%d %d\n", caught, kept);
	return 0;
}
