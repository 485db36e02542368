/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Walks while exceptions are under way: in cleanups, in handlers, after a rethrow. */
#include <stdexcept>

extern "C" {
#include "oracle.h"
}

#define NOINLINE __attribute__((noinline))

struct cleanup {
	~cleanup()
	{
		check_here(ORACLE_FRAMES);
	}
};

static NOINLINE void thrower(int n)
{
	cleanup here;

	if (n)
		thrower(n - 1);
	else
		throw std::runtime_error("thrown");
	check_here(ORACLE_FRAMES);
}

static NOINLINE void rethrower(int n)
{
	try {
		thrower(n);
	} catch (const std::exception &) {
		check_here(ORACLE_FRAMES);
		throw;
	}
}

static NOINLINE void replacer(int n)
{
	cleanup here;

	try {
		rethrower(n);
	} catch (const std::runtime_error &) {
		check_here(ORACLE_FRAMES);
		throw n;
	}
}

static void test_throw_catch(void)
{
	for (int i = 0; i < 30; i++) {
		try {
			thrower(i % 5);
		} catch (...) {
			check_here(ORACLE_FRAMES);
		}
		check_here(ORACLE_FRAMES);
	}
}

static void test_rethrow(void)
{
	for (int i = 0; i < 30; i++) {
		try {
			replacer(i % 5);
		} catch (int) {
			check_here(ORACLE_FRAMES);
		}
	}
	EXPECT(check_total > 1000);
}

int main()
{
	check_here(ORACLE_FRAMES);
	RUN(test_throw_catch);
	RUN(test_rethrow);
	return run_result();
}
