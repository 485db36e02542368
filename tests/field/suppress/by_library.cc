/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: leaks whose innermost frames are all the libraries': strings, copies, a lost FILE
 * build: $CXX -g -O1 -o by_library $SRC/by_library.cc
 * run: by_library
 * modes: full guard
 * expect: says leaks_string
 * expect: says leaks_copy
 * expect: says leaks_file
 * expect: says at_start
 */
#include <cstdio>
#include <cstring>
#include <string>

static void *volatile kept;

static __attribute__((noinline)) void leaks_string()
{
	kept = new std::string(500, 'x');
}

static __attribute__((noinline)) void leaks_copy()
{
	kept = strdup("a copy that nobody has");
}

static __attribute__((noinline)) void leaks_file()
{
	kept = std::fopen("/dev/null", "r");
}

__attribute__((constructor, noinline)) static void at_start()
{
	kept = strdup("of a constructor, which the loader calls");
}

int main()
{
	leaks_string();
	leaks_copy();
	leaks_file();
	std::puts("done");
	return 0;
}
