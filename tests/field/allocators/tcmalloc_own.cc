/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: tcmalloc's own functions, and C++ that tells the size of what it deletes
 * build: $CXX -g -O1 -std=c++17 -o tcmalloc_own $SRC/tcmalloc_own.cc -ltcmalloc_minimal
 * needs: libgoogle-perftools-dev
 * run: tcmalloc_own
 * expect: not DOUBT
 * expect: leak keeps_tc() 700 7
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <gperftools/tcmalloc.h>
#include <new>

static void *volatile kept;

static __attribute__((noinline)) void keeps_tc()
{
	kept = tc_malloc(100);
}

struct alignas(64) wide {
	char bytes[128];
};

struct plain {
	char bytes[48];
};

int main()
{
	for (int i = 0; i < 3000; i++) {
		void *object = tc_malloc(96);
		std::memset(object, 1, 96);
		std::free(object);
		object = std::malloc(96);
		std::memset(object, 1, 96);
		tc_free_sized(object, 96);
		delete new plain;
		delete new wide;
		delete[] new (std::nothrow) char[300];
		object = tc_new(64);
		tc_delete_sized(object, 64);
		object = ::operator new(64);
		tc_free(object);
	}
	for (int i = 0; i < 7; i++)
		keeps_tc();
	std::puts("done");
	return 0;
}
