/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The first call through a lazily bound PLT entry, whose target is chosen by an IFUNC resolver. */
#include "oracle.h"

#define NOINLINE __attribute__((noinline))
#define USE(x) __asm__ volatile("" : : "r"(x) : "memory")

void resolver_runs(void);
int chosen(int n);

static unsigned int resolved;
static uint32_t flags;

void resolver_runs(void)
{
	check_here(ORACLE_FRAMES);
	flags = check_last.flags;
	resolved++;
}

static NOINLINE int call_deep(int n)
{
	int result = n ? call_deep(n - 1) : chosen(n);

	USE(n);
	check_here(ORACLE_FRAMES);
	return result + 1;
}

static void test_first_call(void)
{
	EXPECT(resolved == 0);
	EXPECT(call_deep(7) == 9);
	EXPECT(resolved == 1);
#if defined(__x86_64__)
	EXPECT(flags & STACKDEPOT_UNWIND_FULL); /* through the loader's frame */
#endif
	call_deep(7);
}

int main(void)
{
	check_here(ORACLE_FRAMES);
	RUN(test_first_call);
	return run_result();
}
